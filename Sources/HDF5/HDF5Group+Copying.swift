import CHDF5

// Object by object, since `H5Ocopy` of libhdf5 1.10 crashes where it cannot read or write what it copies.

extension HDF5Group {
  /// Copies an object, with all below it and its attributes, from this or another file. The stored
  /// chunks are taken as they are, without being decompressed. The same objects make the same bytes.
  ///
  /// - Throws: ``HDF5Error``, also where something is of a kind that this module does not write.
  public func copy(_ name: String, of source: HDF5Group, to destination: String) throws(HDF5Error) {
    Library.enter()
    defer { Library.leave() }
    switch try source.kind(of: name) {
    case .group:
      let (original, copy) = (try source.group(name), try createGroup(destination))
      try copy.attributes.writeAll(of: original.attributes)
      for child in try original.children() { try copy.copy(child, of: original, to: child) }
    case .dataset:
      let original = try source.dataset(name)
      try createDataset(destination, like: original).fill(from: original)
    case .other:
      throw .wrongType(
        file: source.handle.file, object: source.handle.path(of: name), expected: "a group or numbers",
        found: "another kind of object")
    }
  }

  /// Creates an empty dataset of the shape, type and storage of another.
  private func createDataset(_ name: String, like original: HDF5Dataset) throws(HDF5Error) -> HDF5Dataset {
    let (parent, last) = try parentForCreating(name)
    let defaults = gambit_h5_default_properties
    let space = try original.handle.scratch(H5Dget_space(original.handle.identifier), .inspect, close: H5Sclose)
    let type = try original.handle.scratch(H5Dget_type(original.handle.identifier), .inspect, close: H5Tclose)
    let storage = try original.handle.scratch(
      H5Dget_create_plist(original.handle.identifier), .inspect, close: H5Pclose)
    return try HDF5Dataset(
      Handle(
        H5Dcreate2(
          parent.handle.identifier, last, type.identifier, space.identifier, defaults, storage.identifier, defaults),
        file: handle.file, object: handle.path(of: name), action: .create, close: H5Dclose))
  }
}

extension HDF5Attributes {
  fileprivate func writeAll(of original: HDF5Attributes) throws(HDF5Error) {
    for name in try original.names() { try write(original[name], to: name) }
  }
}

extension HDF5Dataset {
  /// Takes over the contents and the attributes of a dataset that this one was created like.
  fileprivate func fill(from original: HDF5Dataset) throws(HDF5Error) {
    try attributes.writeAll(of: original.attributes)
    guard count > 0 else { return }
    let properties = try original.handle.scratch(
      H5Dget_create_plist(original.handle.identifier), .inspect, close: H5Pclose)
    if H5Pget_layout(properties.identifier) == H5D_CHUNKED {
      try fillChunks(from: original)
    } else {
      try fillWhole(from: original)
    }
  }

  private func fillChunks(from original: HDF5Dataset) throws(HDF5Error) {
    let (source, defaults) = (original.handle, gambit_h5_default_properties)
    let space = try source.scratch(H5Dget_space(source.identifier), .inspect, close: H5Sclose)
    let limit = try source.fileSize(.inspect)
    var chunks: hsize_t = 0
    try source.check(H5Dget_num_chunks(source.identifier, space.identifier, &chunks), .inspect)
    for chunk in 0..<chunks {
      var offset = [hsize_t](repeating: 0, count: shape.count)
      var (filters, place, size): (UInt32, haddr_t, hsize_t) = (0, 0, 0)
      try source.check(
        H5Dget_chunk_info(source.identifier, space.identifier, chunk, &offset, &filters, &place, &size), .inspect)
      guard size <= limit else {
        throw .implausibleSize(
          file: source.file, object: source.object, bytes: Int(exactly: size), stored: Int(clamping: limit))
      }
      var bytes = [UInt8](repeating: 0, count: Int(size))
      try source.check(H5Dread_chunk(source.identifier, defaults, offset, &filters, &bytes), .read)
      try handle.check(H5Dwrite_chunk(handle.identifier, defaults, filters, offset, bytes.count, bytes), .write)
    }
  }

  /// Single numbers, which are not chunked.
  private func fillWhole(from original: HDF5Dataset) throws(HDF5Error) {
    guard let elementType = original.elementType else {
      throw .wrongType(
        file: original.handle.file, object: original.path, expected: "numbers", found: "elements of another kind")
    }
    try original.requireStorage(for: count, of: elementType)
    let (all, defaults) = (gambit_h5_whole_space, gambit_h5_default_properties)
    var bytes = [UInt8](repeating: 0, count: count * elementType.size)
    try original.handle.check(
      H5Dread(original.handle.identifier, elementType.inMemory, all, all, defaults, &bytes), .read)
    try handle.check(H5Dwrite(handle.identifier, elementType.inMemory, all, all, defaults, bytes), .write)
  }
}
