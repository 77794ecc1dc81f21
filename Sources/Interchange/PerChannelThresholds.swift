import ActivationStatistics
import Checkpoints
import Files
import Foundation
import SparseBundle
import ThresholdSolver

/// Thresholds as labscommunity/cascadia reads them, version 1 of its `PerChannelThresholds`: a channel is kept where
/// `|silu(gate)|` is at least its threshold times the greatest one of the token in the layer.
public struct PerChannelThresholds: Sendable, Equatable, Codable {
  public struct Layer: Sendable, Equatable, Codable {
    public var layerId: Int
    /// One a channel.
    public var thresholds: [Float]
  }

  static let version = 1
  /// Drops a channel for good, as infinity does, which JSON has not: no ratio exceeds 1.
  static let dropsAlways: Float = 2

  public var version: Int
  public var modelId: String
  public var nIntermediate: Int
  public var calibrationNTokens: Int?
  public var targetActiveFrac: Double
  public var notes: String?
  public var layers: [Layer]

  /// Thresholds of a bundle, solved anew so that each channel is kept as often as by the bundle's.
  ///
  /// - Parameter measuring: Counts the gates of each layer of the dense model, and says of what text; asked where the
  ///   format can carry the bundle.
  /// - Throws: ``HandoffError/cannotCarry(_:format:instead:)``, or what measuring throws.
  public init(
    _ bundle: ModelBundle, measuring: () throws -> (layers: [GateHistograms], text: ProbedText)
  ) throws {
    try bundle.requireThresholdsOnGatesAlone(for: .perChannelJSON)
    guard bundle.configuration.gateActivation == .silu else {
      throw HandoffError.cannotCarry(
        "gates of another activation than silu", format: .perChannelJSON, instead: "use another format")
    }
    let (measured, text) = try measuring()
    version = Self.version
    modelId = bundle.manifest.model.name
    nIntermediate = bundle.configuration.intermediateSize
    calibrationNTokens = text.tokens
    layers = zip(bundle.thresholds.layers, measured).enumerated().map { index, layer in
      let ratios = layer.1.ratios(keepingAsOftenAs: layer.0.ffn, .silu)
      return Layer(layerId: index, thresholds: ratios.map { $0 == .infinity ? Self.dropsAlways : $0 })
    }
    let shares = zip(layers, measured).map { $1.shareKept(ratioThresholds: $0.thresholds) }
    targetActiveFrac = shares.reduce(0, +) / Double(shares.count)
    let request = bundle.thresholds.request
    notes =
      "Gambit: thresholds of '\(request.method.rawValue)' at sparsity \(request.sparsity), solved anew relative to each "
      + "token's greatest |silu(gate)| so that each channel is kept as often, on \(text.tokens) tokens (\(text.text)); "
      + "attention, if cut, is not in this file"
  }

  /// Writes the file, whole or not at all. The same thresholds always give the same bytes.
  public func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try writeAtomically(encoder.encode(self), to: path)
  }

  /// Larger files are no thresholds.
  private static let sizeLimit = 1 << 28

  /// - Throws: `FileError` where the file cannot be read, ``ImportError`` where it is another format, version or
  ///   contradicts itself.
  public init(path: String) throws {
    let file = try FileReader(path: path)
    func malformed(_ reason: String) -> ImportError { .malformed(path: path, reason: reason) }
    guard file.count <= Self.sizeLimit else { throw malformed("it has \(file.count) bytes") }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      self = try decoder.decode(Self.self, from: Data(file.read(at: 0, count: file.count)))
    } catch let error as DecodingError {
      throw malformed(error.summary)
    }
    guard version == Self.version else { throw malformed("its version is \(version), not \(Self.version)") }
    guard (0...1).contains(targetActiveFrac) else { throw malformed("its target_active_frac is no share") }
    guard Set(layers.map(\.layerId)).count == layers.count else { throw malformed("a layer stands in it twice") }
    for layer in layers {
      guard layer.thresholds.count == nIntermediate, layer.thresholds.allSatisfy({ $0 >= 0 }) else {
        throw malformed(
          "layer \(layer.layerId) has not \(nIntermediate) thresholds, or some that are negative or no numbers")
      }
    }
  }
}
