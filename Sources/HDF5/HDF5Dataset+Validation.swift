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
    // Chunks that are still in the cache have no size on disk yet.
    try handle.check(H5Dflush(handle.identifier), .inspect)
    let stored = Int(clamping: min(H5Dget_storage_size(handle.identifier), try handle.fileSize(.inspect)))
    let (bytes, overflow) = count.multipliedReportingOverflow(by: type.size)
    guard !overflow, bytes / 1032 <= stored, bytes == 0 || stored > 0 else {
      throw .implausibleSize(
        file: handle.file, object: handle.object, bytes: overflow ? nil : bytes, stored: stored)
    }
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
