import CHDF5

/// How a dataset is stored. Whatever is chosen, chunks are shuffled (bytes of equal significance lie
/// together) and carry a Fletcher-32 checksum.
public struct HDF5Storage: Sendable, Equatable {
  /// The extent of a chunk in each dimension; `nil` for whole rows, up to about 512 KiB a chunk.
  public var chunk: [Int]?

  public var compression: Compression

  /// How bytes are deflated.
  public enum Compression: Sendable, Equatable {
    /// By the level 0 (off) to 9.
    case level(Int)
    /// Searching for runs alone, which suits bytes of noise between zeros: see ``RunEncoder``. Only of chunks that are whole
    /// slices along the first dimension; of others it is level 1.
    case runs

    var level: Int {
      switch self {
      case .level(let level): level
      case .runs: 1
      }
    }
  }

  public init(chunk: [Int]? = nil, compression: Compression = .level(4)) {
    self.chunk = chunk
    self.compression = compression
  }
}

extension HDF5Group {
  /// Creates a dataset, with the groups on the way to it, and fills it.
  ///
  ///     try root.write(counts, shape: [channels, bins], to: "layers/000/ffn/gate_count")
  ///
  /// - Parameters:
  ///   - values: As many as the product of `shape`, row-major.
  ///   - shape: The extent of each dimension; empty for a single number.
  @discardableResult
  public func write<Element: HDF5Scalar>(
    _ values: [Element], shape: [Int], to name: String, storage: HDF5Storage = HDF5Storage()
  ) throws(HDF5Error) -> HDF5Dataset {
    Library.enter()
    defer { Library.leave() }
    guard HDF5Dataset.product(shape) == values.count else {
      throw .invalidArgument(
        file: handle.file, object: handle.path(of: name), reason: "\(values.count) values don't fill shape \(shape)")
    }
    let dataset = try createDataset(name, of: Element.elementType, shape: shape, storage: storage)
    if storage.compression == .runs, let slices = Self.slices(storage, shape: shape, of: Element.elementType) {
      try dataset.write(values, inRunsOf: slices)
    } else {
      try dataset.write(values)
    }
    return dataset
  }

  /// All elements of the dataset `name`; throws unless it has exactly the shape and type asked for.
  public func read<Element: HDF5Scalar>(
    _ name: String, as type: Element.Type = Element.self, shape: [Int]
  ) throws(HDF5Error) -> [Element] {
    try dataset(name).read(as: type, shape: shape)
  }

  /// The extent of each dimension of the dataset `name`.
  public func shape(of name: String) throws(HDF5Error) -> [Int] { try dataset(name).shape }

  /// Creates a dataset, with the groups on the way to it, to be filled.
  private func createDataset(
    _ name: String, of type: HDF5ElementType, shape: [Int], storage: HDF5Storage
  ) throws(HDF5Error) -> HDF5Dataset {
    guard let count = HDF5Dataset.product(shape), shape.count <= 32 else {
      throw .invalidArgument(file: handle.file, object: handle.path(of: name), reason: "\(shape) is not a shape")
    }
    let (parent, last) = try parentForCreating(name)
    let extent = shape.map { hsize_t($0) }
    let space = try handle.scratch(
      shape.isEmpty ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(extent.count), extent, nil), .create,
      close: H5Sclose)
    let properties = try handle.scratch(H5Pcreate(gambit_h5_dataset_create_class()), .create, close: H5Pclose)
    try handle.check(H5Pset_obj_track_times(properties.identifier, false), .create)
    // Neither a single number nor an empty array can be chunked, and filters need chunks.
    if !shape.isEmpty, count > 0 {
      let chunk = storage.chunk ?? Self.defaultChunk(shape: shape, elementSize: type.size)
      try validate(storage, chunk: chunk, shape: shape, elementSize: type.size, name: name)
      try handle.check(H5Pset_chunk(properties.identifier, Int32(chunk.count), chunk.map { hsize_t($0) }), .create)
      try handle.check(H5Pset_shuffle(properties.identifier), .create)
      if storage.compression.level > 0 {
        try handle.check(H5Pset_deflate(properties.identifier, UInt32(storage.compression.level)), .create)
      }
      try handle.check(H5Pset_fletcher32(properties.identifier), .create)
    }
    let defaults = gambit_h5_default_properties
    return try HDF5Dataset(
      Handle(
        H5Dcreate2(
          parent.handle.identifier, last, type.onDisk, space.identifier, defaults, properties.identifier, defaults),
        file: handle.file, object: handle.path(of: name), action: .create, close: H5Dclose))
  }

  private func validate(
    _ storage: HDF5Storage, chunk: [Int], shape: [Int], elementSize: Int, name: String
  ) throws(HDF5Error) {
    // libhdf5 counts a chunk's bytes in 32 bits.
    guard chunk.count == shape.count, chunk.allSatisfy({ $0 > 0 }),
      let count = HDF5Dataset.product(chunk), count <= Int(UInt32.max) / elementSize
    else {
      throw .invalidArgument(
        file: handle.file, object: handle.path(of: name),
        reason: "chunk \(chunk) must be positive, of the rank of \(shape), and below 4 GiB")
    }
    guard (0...9).contains(storage.compression.level) else {
      throw .invalidArgument(
        file: handle.file, object: handle.path(of: name),
        reason: "deflate level \(storage.compression.level) is not between 0 and 9")
    }
  }

  /// The slices along the first dimension of which a chunk consists; `nil` where it consists of none, or there are no chunks.
  private static func slices(_ storage: HDF5Storage, shape: [Int], of type: HDF5ElementType) -> Int? {
    guard !shape.isEmpty, !shape.contains(0) else { return nil }
    let chunk = storage.chunk ?? defaultChunk(shape: shape, elementSize: type.size)
    return chunk.dropFirst() == shape.dropFirst() ? chunk[0] : nil
  }

  /// Whole slices along the first dimension, as many as fit in half of libhdf5's chunk cache of 1 MiB a dataset.
  static func defaultChunk(shape: [Int], elementSize: Int) -> [Int] {
    var budget = (512 << 10) / elementSize
    var chunk = shape
    for dimension in shape.indices.reversed() {
      chunk[dimension] = min(shape[dimension], max(1, budget))
      budget /= chunk[dimension]
    }
    return chunk
  }
}
