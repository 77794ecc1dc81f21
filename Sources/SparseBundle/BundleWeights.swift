import Checkpoints
import LinearAlgebra
import Zstandard

/// The weights of a bundle: a tensor is decompressed when it is asked for, a large one block by block.
public struct BundleWeights: WeightSource {
  public let configuration: ModelConfiguration
  public let type: WeightType
  /// Where each tensor lies in the decompressed file.
  package let layout: BundleLayout
  let factorRows: FactorRows?
  private let reader: SeekableReader
  /// Whether what high planes stand for alone is handed out.
  private var isHighAlone = false

  /// - Parameter factorRows: How gate and up projections are stored, where not as they are.
  /// - Throws: ``BundleError/malformed(file:reason:)`` where the file does not hold exactly the tensors
  ///   that the configuration asks for, in their order, or `ZstandardError`.
  /// - Complexity: O(the header's size); tensors are not touched.
  init(path: String, _ configuration: ModelConfiguration, _ type: WeightType, _ factorRows: FactorRows?) throws {
    self.configuration = configuration
    self.type = type
    self.factorRows = factorRows
    layout = try BundleLayout(configuration, type, cutsInput: factorRows != nil)
    reader = try SeekableReader(path: path)
    let expected = layout.header.encoded()
    guard reader.count == expected.count + layout.header.dataSize else {
      throw BundleError.malformed(
        file: BundleFile.weights,
        reason:
          "it unpacks to \(reader.count) bytes, but the model's tensors take \(expected.count + layout.header.dataSize)"
      )
    }
    // The header is a function of the configuration, so that there is nothing in it to trust.
    guard try reader.read(offset: 0, count: expected.count) == expected else {
      throw BundleError.malformed(file: BundleFile.weights, reason: "its header is not that of this model's tensors")
    }
  }

  /// Bytes of the decompressed file.
  public var unpackedSize: Int { reader.count }

  /// The same by the high planes of the weights alone; `nil` where they do not lie in planes.
  package var highAlone: BundleWeights? {
    guard type.isInPlanes, !isHighAlone else { return nil }
    var high = self
    high.isHighAlone = true
    return high
  }

  /// A matrix as it is stored: with one row an input where inputs can be skipped.
  package func stored(_ tensor: ModelTensor) throws -> Matrix {
    try layout.stored(tensor, highAlone: isHighAlone, withBytes: withBytes)
  }

  /// A matrix in Hugging Face's orientation.
  private func values(_ tensor: ModelTensor) throws -> Matrix {
    try layout.values(tensor, highAlone: isHighAlone, withBytes: withBytes)
  }

  private func withBytes(of entry: BundleLayout.Entry, _ body: (UnsafeRawBufferPointer) -> Void) throws {
    try bytes(of: entry).withUnsafeBytes(body)
  }

  private func bytes(of entry: BundleLayout.Entry) throws -> [UInt8] {
    try reader.read(offset: entry.byteRange.lowerBound, count: entry.byteRange.count)
  }

  package func vector(_ layer: Int, _ part: LayerTensor) throws -> [Float]? {
    let tensor = ModelTensor.layer(layer, part)
    return configuration.shape(of: tensor) == nil ? nil : try stored(tensor).values
  }

  /// Hands out the whole decompressed file, in order.
  ///
  /// - Complexity: O(weights) time; memory for the largest tensor.
  func forEachPiece(_ visit: ([UInt8]) throws -> Void) throws {
    for index in reader.frames.indices { try visit(reader.frame(index)) }
  }

  /// Everything unpacked: throws where a frame is damaged, and where a quantised row or padding is not what it
  /// must be. `visit` is handed the size of each piece.
  func unpackAll(_ visit: (Int) -> Void) throws {
    for index in reader.frames.indices { visit(try reader.frame(index).count) }
    for tensor in layout.header.tensors where tensor.name.hasPrefix(BundleLayout.paddingPrefix) {
      let start = reader.count - layout.header.dataSize + tensor.byteRange.lowerBound
      guard try reader.read(offset: start, count: tensor.byteRange.count).allSatisfy({ $0 == 0 }) else {
        throw BundleError.malformed(file: BundleFile.weights, reason: "'\(tensor.name)' is not zeros")
      }
    }
    for group in layout.groups { try checkRecords(of: group) }
  }

  /// - Parameter entries: Those that hold the same weights.
  private func checkRecords(of entries: [BundleLayout.Entry]) throws {
    let first = entries[0]
    guard first.format.hasRecords else { return }
    for block in first.blocks() {
      let records = try entries.map { try bytes(of: $0.part(block)) }
      let start = block.lowerBound * first.tensors.count
      for row in 0..<records[0].count / first.rowBytes {
        let place = row * first.rowBytes..<(row + 1) * first.rowBytes
        if let fault = first.format.fault(records.map { $0[place] }, columns: first.columns) {
          throw BundleError.malformed(
            file: BundleFile.weights, reason: "row \(start + row) of '\(first.name)' has \(fault.rawValue)")
        }
      }
    }
  }

  // MARK: WeightSource

  public func layer(_ index: Int) throws -> LayerWeights {
    try LayerWeights(index, configuration, factorRows, values: values)
  }

  public var highPlanes: (any WeightSource)? { highAlone }

  public func embeddings(of tokens: [Int32]) throws -> Matrix {
    let count = configuration.vocabularySize
    if let token = tokens.first(where: { $0 < 0 || $0 >= count }) {
      throw CheckpointError.outOfRange(item: "token", index: Int(token), count: count)
    }
    let rows = Matrix(rows: tokens.count, columns: configuration.hiddenSize)
    for block in layout.entries(of: .embeddings)[0].blocks() {
      let found = tokens.indices.filter { block.contains(Int(tokens[$0])) }
      guard !found.isEmpty else { continue }
      let table = try layout.stored(.embeddings, block: block, highAlone: isHighAlone, withBytes: withBytes)
      for i in found { rows.row(i).update(from: table.row(Int(tokens[i]) - block.lowerBound), count: rows.columns) }
    }
    return rows
  }

  public func finalNorm() throws -> [Float] { try stored(.finalNorm).values }

  public func outputHead() throws -> Matrix { try stored(configuration.tiedEmbeddings ? .embeddings : .outputHead) }
}

extension BundleWeights {
  /// Gate and up projections, `[intermediateSize, hiddenSize]`, however they are stored.
  package func factors(_ index: Int) throws -> (gate: Matrix, up: Matrix) {
    try LayerWeights.factors(index, factorRows, values: values)
  }
}

extension LayerWeights {
  fileprivate static func factors(
    _ index: Int, _ factorRows: FactorRows?, values: (ModelTensor) throws -> Matrix
  ) rethrows -> (gate: Matrix, up: Matrix) {
    let (first, second) = (try values(.layer(index, .gate)), try values(.layer(index, .up)))
    factorRows?.exchange(first, second, layer: index)
    return (first, second)
  }

  /// A layer in Hugging Face's orientation.
  ///
  /// - Parameter values: Hands out a matrix in that orientation.
  init(
    _ index: Int, _ configuration: ModelConfiguration, _ factorRows: FactorRows?,
    values: (ModelTensor) throws -> Matrix
  ) rethrows {
    func matrix(_ part: LayerTensor) throws -> Matrix { try values(.layer(index, part)) }
    func vector(_ part: LayerTensor) throws -> [Float]? {
      configuration.shape(of: .layer(index, part)) == nil ? nil : try matrix(part).values
    }
    let (gate, up) = try Self.factors(index, factorRows, values: values)
    self.init(
      attentionNorm: try vector(.attentionNorm) ?? [], query: try matrix(.query), key: try matrix(.key),
      value: try matrix(.value), output: try matrix(.output),
      queryBias: try vector(.queryBias), keyBias: try vector(.keyBias), valueBias: try vector(.valueBias),
      queryNorm: try vector(.queryNorm), keyNorm: try vector(.keyNorm),
      attentionPostNorm: try vector(.attentionPostNorm), ffnNorm: try vector(.ffnNorm) ?? [],
      gate: gate, up: up, down: try matrix(.down), ffnPostNorm: try vector(.ffnPostNorm))
  }
}
