import Checkpoints
import Foundation
import ThresholdSolver

/// What a runtime must compute from a bundle: a few texts as tokens, the logits after some of their
/// positions, and what every token keeps. Computed when the bundle is made, by the forward pass.
public struct GoldenVectors: Sendable, Equatable {
  public struct Text: Sendable, Equatable {
    public var tokens: [Int32]
    /// The positions after which logits are given, ascending.
    public var positions: [Int]
    /// Of the source model, dense: `[positions, vocabularySize]`.
    public var source: [Float]
    /// Of the bundle's weights, dense.
    public var dense: [Float]
    /// Of the bundle's weights, keeping what `kept` says.
    public var sparse: [Float]
    /// What each token keeps in each layer: `[tokens][layers]`.
    public var kept: [[KeptChannels]]
    /// Which rows of the output head each token reads by both planes: `[tokens][vocabularySize]`; `nil` where it reads
    /// all of them so.
    public var keptHead: [[Bool]]?

    public init(
      tokens: [Int32], positions: [Int], source: [Float], dense: [Float], sparse: [Float], kept: [[KeptChannels]],
      keptHead: [[Bool]]? = nil
    ) {
      self.tokens = tokens
      self.positions = positions
      self.source = source
      self.dense = dense
      self.sparse = sparse
      self.kept = kept
      self.keptHead = keptHead
    }
  }

  public var texts: [Text]

  public init(texts: [Text]) { self.texts = texts }
}

// The file: for each text `t` of `golden.safetensors`
//   texts.t.tokens I32 [tokens], texts.t.positions I32 [positions],
//   texts.t.source, texts.t.dense, texts.t.sparse F32 [positions, vocabulary],
//   texts.t.kept_ffn, kept_down, kept_input, kept_query, kept_key, kept_value, kept_output and, of graded weights,
//   texts.t.full_ffn, full_query, full_key, full_value, full_output U8 [tokens, layers, channels / 8 rounded up]:
//   bit `c % 8` of byte `c / 8` says that channel `c` is kept, or that it is read with all bits;
//   texts.t.kept_head U8 [tokens, vocabulary / 8 rounded up] likewise, of an output head that is read on demand.
extension GoldenVectors {
  func tensors(vocabularySize: Int) -> [SafetensorsTensor] {
    texts.enumerated().flatMap { index, text in
      let name = "texts.\(index)."
      let logits = [text.positions.count, vocabularySize]
      var tensors = [
        SafetensorsTensor(name: name + "tokens", shape: [text.tokens.count], values: text.tokens),
        SafetensorsTensor(
          name: name + "positions", shape: [text.positions.count], values: text.positions.map(Int32.init)),
        SafetensorsTensor(name: name + "source", shape: logits, values: text.source),
        SafetensorsTensor(name: name + "dense", shape: logits, values: text.dense),
        SafetensorsTensor(name: name + "sparse", shape: logits, values: text.sparse),
      ]
      func add(_ kind: String, _ place: Thresholds.Place, _ flags: (KeptChannels) -> [Bool]?) {
        let flags = text.kept.map { $0.compactMap(flags) }
        guard let layers = flags.first?.count, let channels = flags.first?.first?.count, layers > 0 else { return }
        tensors.append(
          SafetensorsTensor(
            name: name + kind + place.rawValue, shape: [flags.count, layers, (channels + 7) / 8],
            values: flags.joined().flatMap(packed)))
      }
      for place in Thresholds.Place.allCases { add(keptPrefix, place) { $0[place] } }
      for place in Thresholds.Place.allCases { add(fullPrefix, place) { $0.full?[place] } }
      if let rows = text.keptHead {
        tensors.append(
          SafetensorsTensor(
            name: name + headName, shape: [rows.count, (vocabularySize + 7) / 8], values: rows.flatMap(packed)))
      }
      return tensors
    }
  }

  /// - Throws: ``BundleError/malformed(file:reason:)`` where anything does not fit the configuration.
  package init(_ file: SafetensorsFile, _ configuration: ModelConfiguration) throws {
    texts = []
    while file.header.tensor(named: "texts.\(texts.count).tokens") != nil {
      texts.append(try Self.text(file, "texts.\(texts.count).", configuration))
    }
    guard !texts.isEmpty else { throw BundleError.malformed(file: Self.name(file), reason: "it holds no text") }
  }

  private static func name(_ file: SafetensorsFile) -> String { URL(filePath: file.path).lastPathComponent }

  private static func text(_ file: SafetensorsFile, _ name: String, _ c: ModelConfiguration) throws -> Text {
    func fail(_ reason: String) -> BundleError { .malformed(file: Self.name(file), reason: "\(name)\(reason)") }
    let tokens = try file.integers(of: name + "tokens")
    let positions = try file.integers(of: name + "positions").map(Int.init)
    guard !tokens.isEmpty, tokens.allSatisfy({ $0 >= 0 && $0 < c.vocabularySize }) else {
      throw fail("tokens has none, or some outside the vocabulary")
    }
    guard !positions.isEmpty, positions.allSatisfy(tokens.indices.contains),
      zip(positions, positions.dropFirst()).allSatisfy(<)
    else { throw fail("positions are not ascending positions of its tokens") }
    func logits(_ kind: String) throws -> [Float] {
      let values = try file.values(of: name + kind)
      guard file.header.tensor(named: name + kind)?.shape == [positions.count, c.vocabularySize],
        values.allSatisfy(\.isFinite)
      else { throw fail("\(kind) is not finite logits of every position") }
      return values
    }
    /// - Parameter entries: What there is a row of flags of.
    func flags(_ part: String, _ entries: [Int], _ channels: Int) throws -> [[Bool]]? {
      guard let tensor = file.header.tensor(named: name + part) else { return nil }
      let width = (channels + 7) / 8
      guard tensor.type == .u8, tensor.shape == entries + [width],
        let bytes = file.withBytes(of: name + part, { Array($0) })
      else { throw fail("\(part) is not one flag a token\(entries.count > 1 ? ", layer and channel" : " and row")") }
      return (0..<entries.reduce(1, *)).map { unpacked(bytes[$0 * width..<($0 + 1) * width], channels) }
    }
    func flags(_ kind: String, _ place: Thresholds.Place) throws -> [[Bool]]? {
      try flags(kind + place.rawValue, [tokens.count, c.layerCount], c.width(of: place))
    }
    guard let ffn = try flags(keptPrefix, .ffn) else { throw fail("kept_ffn is missing") }
    let (down, input) = (try flags(keptPrefix, .down), try flags(keptPrefix, .input))
    let (query, key) = (try flags(keptPrefix, .query), try flags(keptPrefix, .key))
    let (value, output) = (try flags(keptPrefix, .value), try flags(keptPrefix, .output))
    let full = try flags(fullPrefix, .ffn).map { ffn in
      GradedPlaces(
        ffn: ffn, query: try flags(fullPrefix, .query), key: try flags(fullPrefix, .key),
        value: try flags(fullPrefix, .value), output: try flags(fullPrefix, .output))
    }
    let kept = tokens.indices.map { token in
      (0..<c.layerCount).map { layer in
        let i = token * c.layerCount + layer
        return KeptChannels(
          ffn: ffn[i], down: down?[i], input: input?[i], query: query?[i], key: key?[i], value: value?[i],
          output: output?[i], full: full?.map { $0[i] })
      }
    }
    return Text(
      tokens: tokens, positions: positions, source: try logits("source"), dense: try logits("dense"),
      sparse: try logits("sparse"), kept: kept, keptHead: try flags(headName, [tokens.count], c.vocabularySize))
  }
}

private let keptPrefix = "kept_"
private let fullPrefix = "full_"
private let headName = "kept_head"

extension ModelConfiguration {
  /// How many decisions a token needs at a place of a layer.
  fileprivate func width(of place: Thresholds.Place) -> Int {
    switch place {
    case .ffn, .down: intermediateSize
    case .input, .otherInput, .query, .key, .value: hiddenSize
    case .output: queryWidth
    }
  }
}

private func packed(_ flags: [Bool]) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: (flags.count + 7) / 8)
  for (channel, flag) in flags.enumerated() where flag { bytes[channel / 8] |= 1 << UInt8(channel % 8) }
  return bytes
}

private func unpacked(_ bytes: ArraySlice<UInt8>, _ channels: Int) -> [Bool] {
  (0..<channels).map { bytes[bytes.startIndex + $0 / 8] >> UInt8($0 % 8) & 1 == 1 }
}
