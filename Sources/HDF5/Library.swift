import CHDF5
import Foundation

/// Entry to libhdf5. Builds of it without thread safety are common and keep global state, so every
/// call of this module is made between `enter()` and `leave()`:
///
///     Library.enter()
///     defer { Library.leave() }
enum Library {
  private static let mutex = NSRecursiveLock()

  /// A file that we read may come from anywhere. It must not make the library load filter plug-ins
  /// or follow links into other files.
  private static let hardened: Void = {
    // At the end of the process it would close what is broken, too.
    H5dont_atexit()
    H5open()
    H5PLset_loading_state(0)
    H5Lunregister(gambit_h5_external_link())
  }()

  static func enter() {
    mutex.lock()
    hardened
    // A thread-safe libhdf5 keeps one error stack a thread, each of which prints until told not to.
    H5Eset_auto2(gambit_h5_default_errors, nil, nil)
  }

  static func leave() { mutex.unlock() }

  /// Files that could not be written, on a full disk for one.
  nonisolated(unsafe) private static var broken: Set<String> = []

  /// Between `enter()` and `leave()`: nothing of this file is closed any more. libhdf5 1.10 tries to write again what it
  /// could not write, and crashes; so the file's memory and descriptor stay until the process ends.
  static func markBroken(_ file: String) { broken.insert(file) }

  /// Likewise between the two.
  static func isBroken(_ file: String) -> Bool { broken.contains(file) }

  /// The messages of the call that failed just now, the most specific first.
  static func errorMessages() -> [String] {
    var messages: [String] = []
    let collect: H5E_walk2_t = { _, entry, messages in
      guard let description = entry?.pointee.desc, let messages else { return 0 }
      messages.assumingMemoryBound(to: [String].self).pointee.append(String(cString: description))
      return 0
    }
    _ = withUnsafeMutablePointer(to: &messages) { H5Ewalk2(gambit_h5_default_errors, H5E_WALK_UPWARD, collect, $0) }
    return messages
  }
}
