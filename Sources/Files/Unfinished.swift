import Foundation

/// Files and folders that this process has begun and that have no name of their own yet.
///
/// Where a process is interrupted they are removed; what a killed one leaves is removed by the next that writes the same
/// file.
public enum Unfinished {
  private static let lock = NSLock()
  nonisolated(unsafe) private static var paths: Set<String> = []

  static func begin(_ path: String) { lock.withLock { _ = paths.insert(path) } }

  /// Gives it its name, or whatever else ends it: no interruption comes between.
  static func finish(_ path: String, _ end: () throws -> Void) rethrows {
    try lock.withLock {
      try end()
      paths.remove(path)
    }
  }

  /// Removes it.
  static func abandon(_ path: String) {
    lock.withLock {
      try? FileManager.default.removeItem(atPath: path)
      paths.remove(path)
    }
  }

  /// Removes all of them and ends the process: nothing is begun or finished meanwhile.
  public static func removeAll(andExitWith code: Int32) -> Never {
    lock.lock()
    // Another thread may be about to make one that it has begun, or be writing into a folder still.
    for pause in [0, 5000, 20_000] as [UInt32] where !paths.isEmpty {
      usleep(pause)
      for path in paths { try? FileManager.default.removeItem(atPath: path) }
    }
    _exit(code)
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
