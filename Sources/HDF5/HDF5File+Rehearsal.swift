import CHDF5
import Synchronization

// libhdf5 is not made for hostile files: some crash it, some keep it busy for ever, and nobody who calls it can tell
// beforehand. So a file may be read once by a process that can be spared.

extension HDF5File {
  private static let rehearsing = Mutex<(@Sendable (_ path: String) -> Bool)?>(nil)

  /// From now on a file is opened for reading only after `isReadable` said yes to it: after another process came through
  /// ``walk()`` alive. Nothing is asked where this was never called.
  public static func rehearse(by isReadable: @escaping @Sendable (_ path: String) -> Bool) {
    rehearsing.withLock { $0 = isReadable }
  }

  /// - Throws: ``HDF5Error/unreadable(file:)``.
  static func requireReadable(_ path: String) throws(HDF5Error) {
    guard rehearsing.withLock({ $0 })?(path) ?? true else { throw .unreadable(file: path) }
  }

  /// Reads everything there is, and makes nothing of errors: whether the process lives through it is what counts.
  ///
  /// - Complexity: O(the file's contents); a file may well be made so that this never ends.
  public func walk() { walk(root, depth: 0) }

  private func walk(_ group: HDF5Group, depth: Int) {
    group.attributes.readAll()
    // No file that is read here is so deep; one that holds itself is as deep as one likes.
    guard depth < 16, let children = try? group.children() else { return }
    for name in children {
      switch try? group.kind(of: name) {
      case .group: if let child = try? group.group(name) { walk(child, depth: depth + 1) }
      case .dataset: (try? group.dataset(name))?.readAll()
      default: continue
      }
    }
  }
}

extension HDF5Dataset {
  fileprivate func readAll() {
    attributes.readAll()
    switch elementType {
    case .float32: _ = try? read(as: Float.self)
    case .float64: _ = try? read(as: Double.self)
    case .int32: _ = try? read(as: Int32.self)
    case .int64: _ = try? read(as: Int64.self)
    case .uint8: _ = try? read(as: UInt8.self)
    case .uint32: _ = try? read(as: UInt32.self)
    case .uint64: _ = try? read(as: UInt64.self)
    case nil: return
    }
  }
}

extension HDF5Attributes {
  fileprivate func readAll() {
    for name in (try? names()) ?? [] { _ = try? self[name] }
  }
}
