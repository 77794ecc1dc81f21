import CHDF5

/// An array of numbers in an HDF5 file, row-major: `[rows, …]`.
///
/// Rows are the slices along the first dimension. Reading checks the type and, where one is given,
/// the shape before any memory is taken; a size that the bytes on disk cannot stand for is an error.
public final class HDF5Dataset: Sendable {
  /// The extent of each dimension; empty for a single number.
  public let shape: [Int]

  /// The elements' type; `nil` where it is none that this module reads.
  public let elementType: HDF5ElementType?

  let handle: Handle

  /// Elements a row, one for datasets without dimensions.
  let rowSize: Int

  init(_ handle: Handle) throws(HDF5Error) {
    self.handle = handle
    let space = try handle.scratch(H5Dget_space(handle.identifier), .inspect, close: H5Sclose)
    shape = try Self.shape(of: space)
    guard let rowSize = Self.product(shape.dropFirst()), Self.product(shape) != nil else {
      throw .implausibleSize(file: handle.file, object: handle.object, bytes: nil, stored: 0)
    }
    self.rowSize = rowSize
    let type = try handle.scratch(H5Dget_type(handle.identifier), .inspect, close: H5Tclose)
    elementType = HDF5ElementType(type.identifier)
  }

  /// The path in the file.
  public var path: String { handle.object }

  /// The attributes of the dataset.
  public var attributes: HDF5Attributes { HDF5Attributes(handle) }

  /// The number of elements, as the file claims it: whether it has so many is checked when they are read.
  public var count: Int { shape.isEmpty ? 1 : shape[0] * rowSize }

  /// All elements.
  ///
  /// - Parameter expected: The shape that the caller relies on; `nil` takes what there is.
  public func read<Element: HDF5Scalar>(
    as type: Element.Type = Element.self, shape expected: [Int]? = nil
  ) throws(HDF5Error) -> [Element] {
    Library.enter()
    defer { Library.leave() }
    if let expected { try require(shape: expected) }
    return try read(count: count, memory: gambit_h5_whole_space, selection: gambit_h5_whole_space)
  }

  /// The elements of the rows in a range.
  ///
  /// - Returns: `[rows.count, …]`, row-major.
  public func read<Element: HDF5Scalar>(
    rows: Range<Int>, as type: Element.Type = Element.self
  ) throws(HDF5Error) -> [Element] {
    Library.enter()
    defer { Library.leave() }
    let count = rows.count * rowSize
    guard let (memory, selection) = try select(rows) else { return [] }
    return try read(count: count, memory: memory.identifier, selection: selection.identifier)
  }

  /// Replaces all elements.
  ///
  /// - Parameter values: ``count`` values, row-major.
  public func write<Element: HDF5Scalar>(_ values: [Element]) throws(HDF5Error) {
    Library.enter()
    defer { Library.leave() }
    try require(type: Element.elementType)
    guard values.count == count else { throw badCount(values.count, needed: "\(count)") }
    guard count > 0 else { return }
    let all = gambit_h5_whole_space
    try handle.check(
      H5Dwrite(handle.identifier, Element.elementType.inMemory, all, all, gambit_h5_default_properties, values), .write)
  }

  /// Replaces whole rows, from row `start` on.
  ///
  /// - Parameter values: A multiple of a row's elements, row-major.
  public func write<Element: HDF5Scalar>(_ values: [Element], fromRow start: Int) throws(HDF5Error) {
    Library.enter()
    defer { Library.leave() }
    try require(type: Element.elementType)
    guard rowSize > 0, values.count.isMultiple(of: rowSize) else {
      throw badCount(values.count, needed: "a multiple of \(rowSize)")
    }
    let (end, overflow) = start.addingReportingOverflow(values.count / rowSize)
    guard start >= 0, !overflow else {
      throw .rowsOutOfRange(file: handle.file, object: handle.object, rows: 0..<Int.max, count: shape.first ?? 1)
    }
    guard let (memory, selection) = try select(start..<end) else { return }
    try handle.check(
      H5Dwrite(
        handle.identifier, Element.elementType.inMemory, memory.identifier, selection.identifier,
        gambit_h5_default_properties, values), .write)
  }

  private func read<Element: HDF5Scalar>(
    count: Int, memory: hid_t, selection: hid_t
  ) throws(HDF5Error) -> [Element] {
    try require(type: Element.elementType)
    try requireStorage(for: count, of: Element.elementType)
    guard count > 0 else { return [] }
    var status: herr_t = 0
    let values = [Element](unsafeUninitializedCapacity: count) { buffer, filled in
      status = H5Dread(
        handle.identifier, Element.elementType.inMemory, memory, selection, gambit_h5_default_properties,
        buffer.baseAddress)
      filled = status >= 0 ? count : 0
    }
    try handle.check(status, .read)
    return values
  }
}
