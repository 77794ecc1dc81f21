import Checkpoints
import LinearAlgebra
import Zstandard

/// The weights of a bundle: one tensor is decompressed at a time, when it is asked for.
public struct BundleWeights: WeightSource {
  public let configuration: ModelConfiguration
  public let type: WeightType
  let layout: BundleLayout
  private let reader: SeekableReader

  /// - Throws: ``BundleError/malformed(file:reason:)`` where the file does not hold exactly the tensors
  ///   that the configuration asks for, in their order, or `ZstandardError`.
  /// - Complexity: O(the header's size); tensors are not touched.
  init(path: String, _ configuration: ModelConfiguration, _ type: WeightType) throws {
    self.configuration = configuration
    self.type = type
    layout = try BundleLayout(configuration, type)
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
    guard let entry = layout.entry(of: tensor), let place = layout.header.tensor(named: entry.name)?.byteRange else {
      throw BundleError.malformed(file: BundleFile.weights, reason: "the model has no such tensor")
    }
    let start = reader.count - layout.header.dataSize
    let bytes = try reader.read(offset: start + place.lowerBound, count: place.count)
    let columns = entry.shape.last ?? 0
    let matrix = Matrix(rows: entry.shape.dropLast().reduce(1, *), columns: columns)
    entry.type.decode(bytes, into: UnsafeMutableBufferPointer(start: matrix.base, count: matrix.count))
    return matrix
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

  /// Everything that is not padding, unpacked once: throws where a frame is damaged, and where padding
  /// is not zeros. `visit` is handed the size of each piece.
  func unpackAll(_ visit: (Int) -> Void) throws {
    for index in reader.frames.indices { visit(try reader.frame(index).count) }
    for tensor in layout.header.tensors where tensor.name.hasPrefix(BundleLayout.paddingPrefix) {
      let start = reader.count - layout.header.dataSize + tensor.byteRange.lowerBound
      guard try reader.read(offset: start, count: tensor.byteRange.count).allSatisfy({ $0 == 0 }) else {
        throw BundleError.malformed(file: BundleFile.weights, reason: "'\(tensor.name)' is not zeros")
      }
    }
  }

  // MARK: WeightSource

  public func layer(_ index: Int) throws -> LayerWeights {
    func matrix(_ part: LayerTensor) throws -> Matrix { try stored(.layer(index, part)) }
    return LayerWeights(
      attentionNorm: try vector(index, .attentionNorm) ?? [], query: try matrix(.query).transposed(),
      key: try matrix(.key), value: try matrix(.value), output: try matrix(.output).transposed(),
      queryBias: try vector(index, .queryBias), keyBias: try vector(index, .keyBias),
      valueBias: try vector(index, .valueBias), queryNorm: try vector(index, .queryNorm),
      keyNorm: try vector(index, .keyNorm), ffnNorm: try vector(index, .ffnNorm) ?? [], gate: try matrix(.gate),
      up: try matrix(.up), down: try matrix(.down).transposed())
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
