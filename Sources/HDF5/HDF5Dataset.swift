import CHDF5

/// An array of numbers in an HDF5 file, row-major. Reading checks the type and, where one is given,
/// the shape before any memory is taken; a size that the bytes on disk cannot stand for is an error.
public final class HDF5Dataset: Sendable {
  /// The extent of each dimension; empty for a single number.
  public let shape: [Int]

  /// The elements' type; `nil` where it is none that this module reads.
  public let elementType: HDF5ElementType?

  /// The number of elements, as the file claims it: whether it has so many is checked when they are read.
  public let count: Int

  let handle: Handle

  init(_ handle: Handle) throws(HDF5Error) {
    self.handle = handle
    let space = try handle.scratch(H5Dget_space(handle.identifier), .inspect, close: H5Sclose)
    shape = try Self.shape(of: space)
    guard let count = Self.product(shape) else {
      throw .implausibleSize(file: handle.file, object: handle.object, bytes: nil, stored: 0)
    }
    self.count = count
    let type = try handle.scratch(H5Dget_type(handle.identifier), .inspect, close: H5Tclose)
    elementType = HDF5ElementType(type.identifier)
  }

  /// The path in the file.
  public var path: String { handle.object }

  /// The attributes of the dataset.
  public var attributes: HDF5Attributes { HDF5Attributes(handle) }

  /// All elements.
  ///
  /// - Parameter expected: The shape that the caller relies on; `nil` takes what there is.
  public func read<Element: HDF5Scalar>(
    as type: Element.Type = Element.self, shape expected: [Int]? = nil
  ) throws(HDF5Error) -> [Element] {
    Library.enter()
    defer { Library.leave() }
    if let expected { try require(shape: expected) }
    try require(type: Element.elementType)
    try requireStorage(for: count, of: Element.elementType)
    guard count > 0 else { return [] }
    let all = gambit_h5_whole_space
    var status: herr_t = 0
    let values = [Element](unsafeUninitializedCapacity: count) { buffer, filled in
      status = H5Dread(
        handle.identifier, Element.elementType.inMemory, all, all, gambit_h5_default_properties, buffer.baseAddress)
      filled = status >= 0 ? count : 0
    }
    try handle.check(status, .read)
    return values
  }

  /// Fills a dataset that was just created.
  ///
  /// - Precondition: There are ``count`` values of the dataset's type, row-major.
  func write<Element: HDF5Scalar>(_ values: [Element]) throws(HDF5Error) {
    guard count > 0 else { return }
    let all = gambit_h5_whole_space
    try handle.check(
      H5Dwrite(handle.identifier, Element.elementType.inMemory, all, all, gambit_h5_default_properties, values), .write)
  }

  /// Fills a dataset that was just created with chunks of `slices` whole slices along the first dimension.
  ///
  /// - Precondition: As of ``write(_:)``.
  func write<Element: HDF5Scalar>(_ values: [Element], inRunsOf slices: Int) throws(HDF5Error) {
    guard count > 0 else { return }
    precondition(1.littleEndian == 1, "what lies in memory is what lies on disk")
    let each = slices * (count / shape[0])
    let encoder = RunEncoder(
      chunkBytes: each * MemoryLayout<Element>.stride, elementSize: MemoryLayout<Element>.stride)
    for first in stride(from: 0, to: count, by: each) {
      let status = values[first..<min(first + each, count)].withUnsafeBytes { bytes in
        let chunk = encoder.encode(bytes)
        var offset = [hsize_t](repeating: 0, count: shape.count)
        offset[0] = hsize_t(first / each * slices)
        return chunk.withUnsafeBytes {
          H5Dwrite_chunk(handle.identifier, gambit_h5_default_properties, 0, offset, $0.count, $0.baseAddress)
        }
      }
      try handle.check(status, .write)
    }
  }
}
