import CHDF5

/// A folder of an HDF5 file. Names may be paths, `layers/000/ffn`, with single slashes between the
/// parts.
public final class HDF5Group: Sendable {
  /// What is behind a name.
  public enum Kind: Sendable {
    case group, dataset
    /// Something that this module does not read, such as a named datatype.
    case other
  }

  let handle: Handle

  init(_ handle: Handle) { self.handle = handle }

  /// The path in the file, `/` for the root group.
  public var path: String { handle.object }

  /// The attributes of the group.
  public var attributes: HDF5Attributes { HDF5Attributes(handle) }

  /// The group of that name, made with all groups on the way to it where it does not exist.
  @discardableResult
  public func createGroup(_ name: String) throws(HDF5Error) -> HDF5Group {
    Library.enter()
    defer { Library.leave() }
    var group = self
    for part in try parts(of: name) { group = try group.createChild(part) }
    return group
  }

  /// One step at a time, because groups that libhdf5 makes on the way are stamped with the time.
  private func createChild(_ name: String) throws(HDF5Error) -> HDF5Group {
    if try linkExists(name) { return try group(name) }
    let properties = try handle.scratch(H5Pcreate(gambit_h5_group_create_class()), .create, close: H5Pclose)
    try handle.check(H5Pset_obj_track_times(properties.identifier, false), .create)
    let defaults = gambit_h5_default_properties
    return HDF5Group(
      try Handle(
        H5Gcreate2(handle.identifier, name, defaults, properties.identifier, defaults),
        file: handle.file, object: handle.path(of: name), action: .create, close: H5Gclose))
  }

  /// The group of that name.
  ///
  /// - Throws: ``HDF5Error/missing(file:object:)`` where there is none.
  public func group(_ name: String) throws(HDF5Error) -> HDF5Group {
    Library.enter()
    defer { Library.leave() }
    try requireExists(name)
    return HDF5Group(
      try Handle(
        H5Gopen2(handle.identifier, name, gambit_h5_default_properties), file: handle.file,
        object: handle.path(of: name), action: .open, close: H5Gclose))
  }

  /// The dataset of that name.
  ///
  /// - Throws: ``HDF5Error/missing(file:object:)`` where there is none.
  public func dataset(_ name: String) throws(HDF5Error) -> HDF5Dataset {
    Library.enter()
    defer { Library.leave() }
    try requireExists(name)
    return try HDF5Dataset(
      Handle(
        H5Dopen2(handle.identifier, name, gambit_h5_default_properties), file: handle.file,
        object: handle.path(of: name), action: .open, close: H5Dclose))
  }

  /// Whether there is an object of that name.
  public func exists(_ name: String) throws(HDF5Error) -> Bool {
    Library.enter()
    defer { Library.leave() }
    var prefix = ""
    for part in try parts(of: name) {
      prefix += prefix.isEmpty ? part : "/\(part)"
      guard try linkExists(prefix) else { return false }
    }
    return handle.check(optional: H5Oexists_by_name(handle.identifier, name, gambit_h5_default_properties))
  }

  /// The names of the group's children in alphabetical order. Complexity: O(*n* log *n*).
  public func children() throws(HDF5Error) -> [String] {
    Library.enter()
    defer { Library.leave() }
    var information = H5G_info_t()
    try handle.check(H5Gget_info(handle.identifier, &information), .list)
    var names: [String] = []
    for index in 0..<information.nlinks { names.append(try name(at: index)) }
    return names
  }

  /// What is behind a name.
  public func kind(of name: String) throws(HDF5Error) -> Kind {
    Library.enter()
    defer { Library.leave() }
    try requireExists(name)
    let object = try handle.scratch(
      H5Oopen(handle.identifier, name, gambit_h5_default_properties), .inspect, close: H5Oclose)
    return switch H5Iget_type(object.identifier) {
    case H5I_GROUP: .group
    case H5I_DATASET: .dataset
    default: .other
    }
  }
}

extension HDF5Group {
  /// The group in which the last part of `name` belongs, made where it does not exist, and that part.
  func parentForCreating(_ name: String) throws(HDF5Error) -> (parent: HDF5Group, last: String) {
    var parts = try parts(of: name)
    let last = parts.removeLast()
    return (parts.isEmpty ? self : try createGroup(parts.joined(separator: "/")), last)
  }

  func requireExists(_ name: String) throws(HDF5Error) {
    guard try exists(name) else { throw .missing(file: handle.file, object: handle.path(of: name)) }
  }

  private func parts(of name: String) throws(HDF5Error) -> [String] {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && !$0.utf8.contains(0) }) else {
      throw .invalidArgument(
        file: handle.file, object: name, reason: "a name is made of non-empty parts with single slashes between them")
    }
    return parts
  }

  private func linkExists(_ name: String) throws(HDF5Error) -> Bool {
    try handle.check(H5Lexists(handle.identifier, name, gambit_h5_default_properties), .inspect) > 0
  }

  private func name(at index: hsize_t) throws(HDF5Error) -> String {
    let defaults = gambit_h5_default_properties
    let length = try handle.check(
      H5Lget_name_by_idx(handle.identifier, ".", H5_INDEX_NAME, H5_ITER_INC, index, nil, 0, defaults), .list)
    var buffer = [CChar](repeating: 0, count: length + 1)
    try handle.check(
      H5Lget_name_by_idx(
        handle.identifier, ".", H5_INDEX_NAME, H5_ITER_INC, index, &buffer, buffer.count, defaults), .list)
    return String(decoding: buffer.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension Handle {
  /// A three-valued answer of the library, where failure means no: a link that leads nowhere.
  func check(optional answer: htri_t) -> Bool { answer > 0 }
}
