import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import Interchange

struct ForeignThresholdsTests {
  private let folder = TemporaryFolder()

  @Test func dictionariesGiveBothRules() throws {
    let path = try fixture()
    let chess = try ForeignThresholds(path: path, .chessPt, for: configuration())
    #expect(chess.layers.map(\.ffn) == [[0, 1.25, 0.375, .infinity], [3, 0.875, 0.01171875, 96]])
    #expect(chess.layers.map(\.query) == [0.5, 0.25] && chess.layers.map(\.output) == [0.125, 0.0625])
    let cats = try ForeignThresholds(path: path, .chessPt, rule: .cats, for: configuration())
    #expect(cats.layers.map(\.ffn) == [[Float](repeating: 0.75, count: 4), [Float](repeating: 1.5, count: 4)])
    #expect(chess.cutsAttention && !chess.isRelative)
  }

  @Test func attentionCanBeLeftWhole() throws {
    var thresholds = try ForeignThresholds(path: fixture(), .chessPt, for: configuration())
    thresholds.dropAttention()
    #expect(!thresholds.cutsAttention)
  }

  @Test func otherModelsAreRefused() throws {
    let path = try fixture()
    for c in [try configuration(layers: 3), try configuration(channels: 5)] {
      #expect { try ForeignThresholds(path: path, .chessPt, for: c) } throws: { error in
        if case .otherShape = error as? ImportError { true } else { false }
      }
    }
  }

  @Test func relativeThresholdsMayLeaveOutLayers() throws {
    let path = try json(#"{"layer_id": 1, "thresholds": [0.1, 0, 1, 1.5]}"#)
    let thresholds = try ForeignThresholds(path: path, .perChannelJSON, for: configuration())
    #expect(thresholds.layers.map(\.ffn) == [[0, 0, 0, 0], [0.1, 0, 1, .infinity]])
    #expect(thresholds.isRelative && !thresholds.cutsAttention)
    // Half of the channels of one layer in two.
    #expect(thresholds.claimedSparsity == 0.25)
  }

  @Test(arguments: [
    #"{"layer_id": 0, "thresholds": [0.1, 0.2, 0.3]}"#, #"{"layer_id": 0, "thresholds": [0.1, 0.2, 0.3, -1]}"#,
    #"{"layer_id": 2, "thresholds": [0.1, 0.2, 0.3, 1]}"#, #"{"layer_id": 0}"#,
    #"{"layer_id": 1, "thresholds": [0, 0, 0, 0]}, {"layer_id": 1, "thresholds": [0, 0, 0, 0]}"#,
  ])
  func contradictionsAreRefused(_ layers: String) throws {
    let path = try json(layers)
    #expect(throws: ImportError.self) { try ForeignThresholds(path: path, .perChannelJSON, for: configuration()) }
  }

  @Test func laterVersionsAreRefused() throws {
    let path = try json(#"{"layer_id": 1, "thresholds": [0.1, 0, 1, 1.5]}"#, version: 2)
    #expect(throws: ImportError.malformed(path: path, reason: "its version is 2, not 1")) {
      try ForeignThresholds(path: path, .perChannelJSON, for: configuration())
    }
  }

  private func configuration(layers: Int = 2, channels: Int = 4) throws -> ModelConfiguration {
    var c = try TinyModel.llama.open().configuration
    (c.layerCount, c.intermediateSize) = (layers, channels)
    return c
  }

  private func fixture() throws -> String {
    let path = folder.path("thresholds.pt")
    try Data(TorchListsTests.fixture("chess-bfloat16.pt")).write(to: URL(filePath: path))
    return path
  }

  private func json(_ layers: String, version: Int = 1) throws -> String {
    let path = folder.path("thresholds.json")
    let text =
      #"{"version": \#(version), "model_id": "m", "n_intermediate": 4, "target_active_frac": 0.5, "layers": [\#(layers)]}"#
    try Data(text.utf8).write(to: URL(filePath: path))
    return path
  }
}
