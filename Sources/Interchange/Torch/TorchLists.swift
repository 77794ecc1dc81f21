import Checkpoints
import Files

/// A dictionary of lists of one-dimensional tensors, as `torch.save` writes it and
/// `torch.load(path, weights_only=True)` reads it.
struct TorchLists: Equatable {
  /// In the order of the file.
  var lists: [(name: String, tensors: [[Float]])]

  subscript(name: String) -> [[Float]]? { lists.first { $0.name == name }?.tensors }

  static func == (a: Self, b: Self) -> Bool {
    a.lists.map(\.name) == b.lists.map(\.name) && a.lists.map(\.tensors) == b.lists.map(\.tensors)
  }

  init(_ lists: [(name: String, tensors: [[Float]])]) { self.lists = lists }
}

// MARK: Writing

extension TorchLists {
  private static let root = "thresholds/"

  /// The bytes of the file, float32. The same lists always give the same bytes.
  func encoded() -> [UInt8] {
    var archive = ZipWriter()
    archive.add(Self.root + "data.pkl", pickle())
    archive.add(Self.root + "byteorder", Array("little".utf8))
    for (key, tensor) in lists.flatMap(\.tensors).enumerated() {
      archive.add(Self.root + "data/\(key)", tensor.withUnsafeBufferPointer { HandoffWeights.f32.bytes(of: $0) })
    }
    archive.add(Self.root + "version", Array("3\n".utf8))
    return archive.finished()
  }

  private func pickle() -> [UInt8] {
    var bytes: [UInt8] = [0x80, 2]
    func op(_ code: Character) { bytes += String(code).utf8 }
    func text(_ text: String) {
      op("X")
      bytes.append(littleEndian: UInt32(text.utf8.count))
      bytes += text.utf8
    }
    func integer(_ value: Int) {
      op("J")
      bytes.append(littleEndian: Int32(value))
    }
    func global(_ module: String, _ name: String) { bytes += "c\(module)\n\(name)\n".utf8 }
    func tensor(_ key: Int, count: Int) {
      global("torch._utils", "_rebuild_tensor_v2")
      op("(")
      op("(")
      text("storage")
      global("torch", "FloatStorage")
      text("\(key)")
      text("cpu")
      integer(count)
      op("t")
      op("Q")  // the storage, by its key
      integer(0)
      integer(count)
      bytes.append(0x85)  // (count,)
      integer(1)
      bytes.append(0x85)
      bytes.append(0x89)  // needs no gradient
      global("collections", "OrderedDict")
      op(")")
      op("R")
      op("t")
      op("R")
    }
    var key = 0
    op("}")
    op("(")
    for (name, tensors) in lists {
      text(name)
      op("]")
      op("(")
      for values in tensors {
        tensor(key, count: values.count)
        key += 1
      }
      op("e")
    }
    op("u")
    op(".")
    return bytes
  }
}

// MARK: Reading

extension TorchLists {
  /// Larger files are no thresholds: those of 126 layers of 53,248 channels take 27 MB.
  private static let sizeLimit = 1 << 28

  /// - Throws: `FileError` where the file cannot be read, ``TorchError`` where it is no such dictionary.
  init(path: String) throws {
    let file = try FileReader(path: path)
    guard file.count <= Self.sizeLimit else { throw TorchError.unsupported("\(file.count) bytes") }
    try self.init(decoding: file.read(at: 0, count: file.count))
  }

  /// - Throws: ``TorchError``.
  init(decoding file: [UInt8]) throws(TorchError) {
    let archive = try ZipReader(file)
    let suffix = "/data.pkl"
    guard let name = archive.names.first(where: { $0.hasSuffix(suffix) }), let pickle = try archive.data(of: name)
    else {
      throw .damaged("there is no 'data.pkl' in it")
    }
    let root = name.dropLast(suffix.count)
    if let order = try archive.data(of: root + "/byteorder"), String(decoding: order, as: UTF8.self) != "little" {
      throw .unsupported("numbers of another byte order")
    }
    var reader = PickleReader(pickle)
    guard case .dictionary(let entries) = try reader.read() else { throw .unsupported("no dictionary") }
    lists = []
    var storages = Storages(archive, root: String(root))
    for index in stride(from: 0, to: entries.count, by: 2) {
      guard case .text(let name) = entries[index], case .list(let items) = entries[index + 1] else {
        throw .unsupported("something else than lists by name")
      }
      guard self[name] == nil else { throw .unsupported("\(quoted(name)) twice") }
      var tensors: [[Float]] = []
      for item in items {
        guard case .tensor(let tensor) = item else { throw .unsupported("a list of something else than tensors") }
        tensors.append(try storages.values(of: tensor))
      }
      lists.append((name, tensors))
    }
  }
}

/// The numbers that tensors are views of.
private struct Storages {
  private let archive: ZipReader
  private let root: String
  /// Each is checked once, however many views it has.
  private var known: [String: ArraySlice<UInt8>] = [:]
  /// Bytes that views may still take: all of them together no more than the archive, so that a small file stays small.
  private var rest: Int

  init(_ archive: ZipReader, root: String) {
    self.archive = archive
    self.root = root
    rest = archive.size
  }

  /// Dense tensors alone: what strides would repeat or reorder is no list of thresholds.
  mutating func values(of tensor: TorchTensor) throws(TorchError) -> [Float] {
    let encodings: [String: WeightEncoding] = ["FloatStorage": .f32, "HalfStorage": .f16, "BFloat16Storage": .bf16]
    guard let encoding = encodings[tensor.storage.type] else {
      throw .unsupported("numbers of \(quoted(tensor.storage.type))")
    }
    guard tensor.shape.count <= 1, tensor.strides.count == tensor.shape.count, tensor.strides.allSatisfy({ $0 == 1 })
    else { throw .unsupported("tensors of more than one dimension") }
    let key = tensor.storage.key
    var found = known[key]
    if found == nil { found = try archive.data(of: "\(root)/data/\(key)") }
    guard let data = found else {
      throw .damaged("storage \(quoted(key)) is missing")
    }
    known[key] = data
    let count = tensor.shape.first ?? 1
    guard tensor.offset >= 0, tensor.offset <= data.count, count <= data.count,
      (tensor.offset + count) * encoding.bytesPerBlock <= data.count
    else { throw .damaged("a tensor reaches beyond its storage") }
    rest -= count * encoding.bytesPerBlock
    guard rest >= 0 else { throw .unsupported("more numbers in its tensors than in the file") }
    return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      data.dropFirst(tensor.offset * encoding.bytesPerBlock).withUnsafeBytes {
        encoding.decode(
          UnsafeRawBufferPointer(rebasing: $0.prefix(count * encoding.bytesPerBlock)),
          into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      }
      initialized = count
    }
  }
}
