import Foundation
import Synchronization

/// Files and folders that this process has begun and that have no name of their own yet.
///
/// Where a process is interrupted they are removed; what a killed one leaves is removed by the next that writes the same
/// file.
public enum Unfinished {
  private static let paths = Mutex<Set<String>>([])

  static func begin(_ path: String) { paths.withLock { _ = $0.insert(path) } }

  /// Gives it its name, or whatever else ends it: no interruption comes between.
  static func finish(_ path: String, _ end: () throws -> Void) rethrows {
    try paths.withLock {
      try end()
      $0.remove(path)
    }
  }

  /// Removes it.
  static func abandon(_ path: String) {
    paths.withLock {
      try? FileManager.default.removeItem(atPath: path)
      $0.remove(path)
    }
  }

  /// Removes all of them and ends the process: nothing is begun or finished meanwhile.
  public static func removeAll(andExitWith code: Int32) -> Never {
    paths.withLock { paths in
      for path in paths {
        // Another thread may be writing into a folder still.
        for _ in 0..<3 where FileManager.default.fileExists(atPath: path) {
          try? FileManager.default.removeItem(atPath: path)
        }
      }
      _exit(code)
    }
  }

  // MARK: Names

  /// A hidden name beside `path` that nobody else uses; what dead processes left of the same file is removed.
  static func name(beside path: String) -> String {
    let (folder, name) = (folder(of: path), path.split(separator: "/").last ?? "file")
    let prefix = ".\(name).\(host)-"
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for entry in entries where entry.hasPrefix(prefix) && entry.hasSuffix(suffix) {
      guard let owner = Int32(entry.dropFirst(prefix.count).prefix { $0 != "-" }), isDead(owner) else { continue }
      try? FileManager.default.removeItem(atPath: "\(folder)/\(entry)")
    }
    let random = String(UInt64.random(in: 0 ... .max), radix: 36)
    return "\(folder)/\(prefix)\(ProcessInfo.processInfo.processIdentifier)-\(random)\(suffix)"
  }

  private static let suffix = ".partial"

  /// Numbers of processes mean nothing on another machine, which may write into the same folder.
  private static let host = String(
    ProcessInfo.processInfo.hostName.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {  // FNV-1a
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    } & 0xFFFF_FFFF, radix: 36)

  private static func isDead(_ process: Int32) -> Bool { kill(process, 0) != 0 && errno == ESRCH }
}
