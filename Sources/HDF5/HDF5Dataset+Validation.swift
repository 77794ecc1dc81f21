import CHDF5

extension HDF5Dataset {
  func require(type expected: HDF5ElementType) throws(HDF5Error) {
    guard elementType == expected else {
      throw .wrongType(
        file: handle.file, object: handle.object, expected: "\(expected.rawValue) numbers",
        found: elementType.map { "\($0.rawValue) numbers" } ?? "elements of another kind")
    }
  }

  func require(shape expected: [Int]) throws(HDF5Error) {
    guard shape == expected else {
      throw .wrongShape(file: handle.file, object: handle.object, expected: expected, found: shape)
    }
  }

  /// Throws where `count` elements cannot come from the bytes that are stored. Deflate, the most
  /// effective of the filters, makes at most 1032 bytes of one (zlib's documentation).
  func requireStorage(for count: Int, of type: HDF5ElementType) throws(HDF5Error) {
    let properties = try handle.scratch(H5Dget_create_plist(handle.identifier), .inspect, close: H5Pclose)
    let layout = H5Pget_layout(properties.identifier)
    guard layout != H5D_VIRTUAL, layout != H5D_CONTIGUOUS || H5Pget_external_count(properties.identifier) == 0 else {
      throw .contentsElsewhere(file: handle.file, object: handle.object)
    }
    let file = try handle.scratch(H5Iget_file_id(handle.identifier), .inspect, close: H5Fclose)
    // Chunks that are still in the cache have no size on disk yet.
    try handle.check(H5Dflush(handle.identifier), .inspect)
    var fileSize: hsize_t = 0
    try handle.check(H5Fget_filesize(file.identifier, &fileSize), .inspect)
    let stored = Int(clamping: min(H5Dget_storage_size(handle.identifier), fileSize))
    let (bytes, overflow) = count.multipliedReportingOverflow(by: type.size)
    guard !overflow, bytes / 1032 <= stored, bytes == 0 || stored > 0 else {
      throw .implausibleSize(
        file: handle.file, object: handle.object, bytes: overflow ? nil : bytes, stored: stored)
    }
  }

  /// The dataspaces of `rows` in memory and in the file; `nil` where they hold no element.
  func select(_ rows: Range<Int>) throws(HDF5Error) -> (memory: Handle, selection: Handle)? {
    guard let count = shape.first, rows.lowerBound >= 0, rows.upperBound <= count else {
      throw .rowsOutOfRange(file: handle.file, object: handle.object, rows: rows, count: shape.first ?? 1)
    }
    guard rows.count * rowSize > 0 else { return nil }
    var start = [hsize_t](repeating: 0, count: shape.count)
    var extent = shape.map { hsize_t($0) }
    start[0] = hsize_t(rows.lowerBound)
    extent[0] = hsize_t(rows.count)
    let selection = try handle.scratch(H5Dget_space(handle.identifier), .inspect, close: H5Sclose)
    try handle.check(
      H5Sselect_hyperslab(selection.identifier, H5S_SELECT_SET, start, nil, extent, nil), .inspect)
    let memory = try handle.scratch(
      H5Screate_simple(Int32(extent.count), extent, nil), .inspect, close: H5Sclose)
    return (memory, selection)
  }

  func badCount(_ count: Int, needed: String) -> HDF5Error {
    .invalidArgument(
      file: handle.file, object: handle.object, reason: "\(count) values were given, but \(needed) are needed")
  }

  static func shape(of space: Handle) throws(HDF5Error) -> [Int] {
    let rank = try space.check(H5Sget_simple_extent_ndims(space.identifier), .inspect)
    guard rank > 0 else { return [] }
    var extent = [hsize_t](repeating: 0, count: Int(rank))
    try space.check(H5Sget_simple_extent_dims(space.identifier, &extent, nil), .inspect)
    var shape: [Int] = []
    for dimension in extent {
      guard let dimension = Int(exactly: dimension) else {
        throw .implausibleSize(file: space.file, object: space.object, bytes: nil, stored: 0)
      }
      shape.append(dimension)
    }
    return shape
  }

  /// The product of extents, `nil` where it overflows.
  static func product(_ extents: some Collection<Int>) -> Int? {
    var product = 1
    for extent in extents {
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      guard !overflow, extent >= 0 else { return nil }
      product = next
    }
    return product
  }
}
