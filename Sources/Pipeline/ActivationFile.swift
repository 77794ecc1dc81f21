import ActivationStatistics
import Checkpoints
import Crypto
import Files
import Foundation
import LinearAlgebra
import Transformer

/// The input of a layer for some of a sample's sequences, in a file that one machine hands to the next: safetensors with
/// `hidden_states`, F32 `[tokens, hiddenSize]`, and what they are of in the metadata. `schemas/activations.md` describes it.
struct ActivationFile {
  private static let format = "gambit-activations"
  private static let tensor = "hidden_states"

  /// Of the layers that are read next: model, sample and sequences must be the same.
  let description: StatisticsDescription
  let path: String

  /// Writes what the layers of the description leave, whole or not at all.
  func write(_ states: HiddenStates) throws {
    let header = try header(of: states, before: description.layers.upperBound)
    try writeAtomically(to: path) { try states.write(to: $0, behind: header.encoded()) }
  }

  /// Fills `states` with the input of the description's first layer.
  ///
  /// - Throws: ``PipelineError`` where the file is of something else, or damaged.
  func read(into states: HiddenStates) throws {
    let found = try SafetensorsFile(path: path).header
    guard found.metadata["format"] == Self.format else { throw other("format") }
    for (key, value) in metadata(before: description.layers.lowerBound).sorted(by: { $0.key < $1.key })
    where found.metadata[key] != value { throw other(key) }
    guard let tensor = found.tensor(named: Self.tensor), tensor.type == .f32,
      tensor.shape == [states.tokens, states.width], found.tensors.count == 1
    else { throw other("shape") }
    try states.read(from: path, at: found.encoded().count)
    guard try digest(of: states) == found.metadata["sha256"] else { throw PipelineError.damagedActivations(path: path) }
  }

  private func header(of states: HiddenStates, before layer: Int) throws -> SafetensorsHeader {
    var metadata = metadata(before: layer)
    metadata["sha256"] = try digest(of: states)
    return try SafetensorsHeader(
      placing: [.init(name: Self.tensor, type: .f32, shape: [states.tokens, states.width])], metadata: metadata)
  }

  private func metadata(before layer: Int) -> [String: String] {
    [
      "format": Self.format, "version": "1", "gambit_version": description.toolVersion,
      "model_sha256": description.modelHash, "corpus_sha256": description.corpusHash, "layer": String(layer),
      "sequences": description.coverage.map { "\($0.lowerBound)..\($0.upperBound)" }.joined(separator: " "),
    ]
  }

  /// SHA-256 of the values as they lie in the file.
  private func digest(of states: HiddenStates) throws -> String {
    var hash = SHA256()
    for index in 0..<states.count {
      let sequence = try states.sequence(index)
      hash.update(bufferPointer: UnsafeRawBufferPointer(start: sequence.base, count: 4 * sequence.count))
    }
    return hash.finalize().hexadecimal
  }

  private func other(_ difference: String) -> PipelineError { .otherActivations(path: path, difference: difference) }
}
