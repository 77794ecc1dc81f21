import Checkpoints
import LinearAlgebra
import Zstandard

/// The weights of a bundle: one tensor is decompressed at a time, when it is asked for.
public struct BundleWeights: WeightSource {
  public let configuration: ModelConfiguration
  public let type: WeightType
  /// Where each tensor lies in the decompressed file.
  package let layout: BundleLayout
  let factorRows: FactorRows?
  private let reader: SeekableReader

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

  /// A matrix as it is stored: with one row an input where inputs can be skipped.
  package func stored(_ tensor: ModelTensor) throws -> Matrix {
    guard let entry = layout.entry(of: tensor) else {
      throw BundleError.malformed(file: BundleFile.weights, reason: "the model has no such tensor")
    }
    let matrix = Matrix(rows: entry.shape.dropLast().reduce(1, *), columns: entry.shape.last ?? 0)
    entry.type.decode(try bytes(of: entry), into: matrix)
    return matrix
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
    for entry in layout.entries where entry.type.isQuantized { try checkRecords(of: entry) }
  }

  private func checkRecords(of entry: BundleLayout.Entry) throws {
    let (size, columns) = (entry.rowBytes, entry.shape.last ?? 0)
    try bytes(of: entry).withUnsafeBytes { bytes in
      for start in stride(from: 0, to: bytes.count, by: max(size, 1)) {
        let record = UnsafeRawBufferPointer(rebasing: bytes[start..<start + size])
        let fault =
          entry.type == .int8 ? Int8Record.fault(record, columns: columns) : Q4Record.fault(record, columns: columns)
        if let fault {
          throw BundleError.malformed(
            file: BundleFile.weights, reason: "row \(start / size) of '\(entry.name)' has \(fault.rawValue)")
        }
      }
    }
  }

  // MARK: WeightSource

  public func layer(_ index: Int) throws -> LayerWeights {
    try LayerWeights(index, configuration, factorRows, stored: stored)
  }

  public func embeddings(of tokens: [Int32]) throws -> Matrix {
    let table = try stored(.embeddings)
    let rows = Matrix(rows: tokens.count, columns: table.columns)
    for (i, token) in tokens.enumerated() {
      guard token >= 0, Int(token) < table.rows else {
        throw CheckpointError.outOfRange(item: "token", index: Int(token), count: table.rows)
      }
      rows.row(i).update(from: table.row(Int(token)), count: table.columns)
    }
    return rows
  }

  public func finalNorm() throws -> [Float] { try stored(.finalNorm).values }

  public func outputHead() throws -> Matrix { try stored(configuration.tiedEmbeddings ? .embeddings : .outputHead) }
}

extension BundleWeights {
  /// Gate and up projections, `[intermediateSize, hiddenSize]`, however they are stored.
  package func factors(_ index: Int) throws -> (gate: Matrix, up: Matrix) {
    try LayerWeights.factors(index, factorRows, stored: stored)
  }
}

extension LayerWeights {
  fileprivate static func factors(
    _ index: Int, _ factorRows: FactorRows?, stored: (ModelTensor) throws -> Matrix
  ) rethrows -> (gate: Matrix, up: Matrix) {
    let (first, second) = (try stored(.layer(index, .gate)), try stored(.layer(index, .up)))
    guard let factorRows else { return (first, second) }
    let deciding = first.transposed()
    factorRows.exchange(deciding, second, layer: index)
    return (deciding, second)
  }

  /// A layer in Hugging Face's orientation, from matrices as a bundle stores them.
  init(
    _ index: Int, _ configuration: ModelConfiguration, _ factorRows: FactorRows?,
    stored: (ModelTensor) throws -> Matrix
  ) rethrows {
    func matrix(_ part: LayerTensor) throws -> Matrix { try stored(.layer(index, part)) }
    func vector(_ part: LayerTensor) throws -> [Float]? {
      configuration.shape(of: .layer(index, part)) == nil ? nil : try matrix(part).values
    }
    let (gate, up) = try Self.factors(index, factorRows, stored: stored)
    self.init(
      attentionNorm: try vector(.attentionNorm) ?? [], query: try matrix(.query).transposed(),
      key: try matrix(.key), value: try matrix(.value), output: try matrix(.output).transposed(),
      queryBias: try vector(.queryBias), keyBias: try vector(.keyBias), valueBias: try vector(.valueBias),
      queryNorm: try vector(.queryNorm), keyNorm: try vector(.keyNorm),
      attentionPostNorm: try vector(.attentionPostNorm), ffnNorm: try vector(.ffnNorm) ?? [],
      gate: gate, up: up, down: try matrix(.down).transposed(), ffnPostNorm: try vector(.ffnPostNorm))
  }
}
