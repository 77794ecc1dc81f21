import CHDF5

/// Owns one HDF5 identifier together with the names that error messages need, and closes it.
final class Handle: Sendable {
  let identifier: hid_t

  /// The path of the file, as it was opened.
  let file: String

  /// The path of the object in the file, `/` for the root group.
  let object: String

  private let close: @Sendable (hid_t) -> herr_t

  /// - Throws: ``HDF5Error/library(action:file:object:reasons:)`` where `identifier` is negative,
  ///   which is how the library says that the call that made it failed.
  init(
    _ identifier: hid_t, file: String, object: String, action: HDF5Error.Action,
    close: @escaping @Sendable (hid_t) -> herr_t
  ) throws(HDF5Error) {
    self.identifier = identifier
    self.file = file
    self.object = object
    self.close = close
    guard identifier >= 0 else { throw failure(action) }
  }

  deinit {
    guard identifier >= 0 else { return }
    Library.enter()
    defer { Library.leave() }
    if !Library.isBroken(file) { _ = close(identifier) }
  }

  /// The error of the library's call that failed just now.
  func failure(_ action: HDF5Error.Action) -> HDF5Error {
    if action.changesFile { Library.markBroken(file) }
    return .library(action: action, file: file, object: object, reasons: Library.errorMessages())
  }

  /// `result`, which the library makes negative where a call failed.
  @discardableResult
  func check<Result: SignedInteger>(_ result: Result, _ action: HDF5Error.Action) throws(HDF5Error) -> Result {
    guard result >= 0 else { throw failure(action) }
    return result
  }

  /// A handle of something that is used on the way and has no path of its own.
  func scratch(
    _ identifier: hid_t, _ action: HDF5Error.Action, close: @escaping @Sendable (hid_t) -> herr_t
  ) throws(HDF5Error) -> Handle {
    try Handle(identifier, file: file, object: object, action: action, close: close)
  }

  /// Bytes of the file that the object is in.
  func fileSize(_ action: HDF5Error.Action) throws(HDF5Error) -> hsize_t {
    let file = try scratch(H5Iget_file_id(identifier), action, close: H5Fclose)
    var size: hsize_t = 0
    try check(H5Fget_filesize(file.identifier, &size), action)
    return size
  }

  /// The path of `name` below this object.
  func path(of name: String) -> String { object == "/" ? "/\(name)" : "\(object)/\(name)" }
}
