import CHDF5
import Files

/// An HDF5 file: a tree of groups with datasets as its leaves.
///
///     let file = try HDF5File(creating: "statistics.h5")
///     try file.root.write([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3], to: "layers/000/sum")
///     try file.flush()
///
/// The same writes make the same bytes: nothing in a file depends on the time, the machine or the
/// address space. Files need libhdf5 1.8 or later to be read.
///
/// Objects may be used from any thread; calls into the library happen one at a time. A file is
/// closed when the last of its objects is gone. It does not write atomically: create it at the path
/// that `writeAtomically(to:_:)` hands out.
///
/// Files that are read may be damaged or come from anywhere: other files that they point to are not
/// opened, and what this module allocates is bounded by what they store. What libhdf5 does inside is
/// its own affair, and some files crash it: see ``rehearse(by:)``.
public final class HDF5File: Sendable {
  /// Bytes of headers and indices that libhdf5 keeps of a file that is read: those of a few datasets, since none is read
  /// twice in a row, and many files may be open. Unasked it would keep up to 32 MB.
  private static let keptMetadata = 1 << 16

  /// The path as given.
  public let path: String

  /// The group that holds all others.
  public let root: HDF5Group

  private let handle: Handle

  /// Creates a file; one that exists already is an error.
  public convenience init(creating path: String) throws(HDF5Error) {
    Library.enter()
    defer { Library.leave() }
    let access = try Self.accessProperties(path)
    let properties = try Handle(
      H5Pcreate(gambit_h5_file_create_class()), file: path, object: "/", action: .create, close: H5Pclose)
    try properties.check(H5Pset_obj_track_times(properties.identifier, false), .create)
    try self.init(
      H5Fcreate(path, gambit_h5_exclusive(), properties.identifier, access.identifier), path: path, action: .create)
  }

  /// Opens a file for reading, after a rehearsal where ``rehearse(by:)`` asks for one.
  ///
  /// - Parameter rehearsed: `false` for what this process has written: a rehearsal reads all of it.
  public convenience init(reading path: String, rehearsed: Bool = true) throws(HDF5Error) {
    // The system's word on a file that is missing or none is clearer than the library's.
    do { _ = try FileReader(path: path) } catch { throw .file(error) }
    if rehearsed { try Self.requireReadable(path) }
    Library.enter()
    defer { Library.leave() }
    let access = try Self.accessProperties(path)
    try Self.limitMetadata(access)
    try self.init(H5Fopen(path, gambit_h5_read_only(), access.identifier), path: path, action: .open)
  }

  private init(_ identifier: hid_t, path: String, action: HDF5Error.Action) throws(HDF5Error) {
    self.path = path
    handle = try Handle(identifier, file: path, object: "/", action: action, close: H5Fclose)
    root = HDF5Group(
      try Handle(
        H5Gopen2(identifier, "/", gambit_h5_default_properties), file: path, object: "/", action: action,
        close: H5Gclose))
  }

  /// Fixes the format's version, so that a newer libhdf5 writes what an older one does.
  private static func accessProperties(_ path: String) throws(HDF5Error) -> Handle {
    let access = try Handle(
      H5Pcreate(gambit_h5_file_access_class()), file: path, object: "/", action: .open, close: H5Pclose)
    try access.check(H5Pset_libver_bounds(access.identifier, H5F_LIBVER_V18, H5F_LIBVER_V18), .open)
    return access
  }

  private static func limitMetadata(_ access: Handle) throws(HDF5Error) {
    var cache = H5AC_cache_config_t()
    cache.version = H5AC__CURR_CACHE_CONFIG_VERSION
    try access.check(H5Pget_mdc_config(access.identifier, &cache), .open)
    cache.set_initial_size = true
    (cache.initial_size, cache.min_size, cache.max_size) = (keptMetadata, keptMetadata, keptMetadata)
    try access.check(H5Pset_mdc_config(access.identifier, &cache), .open)
  }

  /// Hands everything written so far to the operating system. Call it before the file is let go:
  /// what fails then cannot be reported.
  public func flush() throws(HDF5Error) {
    Library.enter()
    defer { Library.leave() }
    try handle.check(H5Fflush(handle.identifier, H5F_SCOPE_GLOBAL), .flush)
  }
}
