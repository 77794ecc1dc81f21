import Foundation

/// What a machine has left.
public struct MachineResources: Sendable, Codable {
  public var cores: Int
  /// Bytes that may be taken: what is free, or what a control group allows.
  public var memory: Int
  /// Bytes free on the disk of the run's folder.
  public var disk: Int

  /// Of this machine.
  ///
  /// - Parameter folder: On the disk in question; it need not exist yet.
  public static func here(folder: String) -> MachineResources {
    MachineResources(
      cores: ProcessInfo.processInfo.activeProcessorCount, memory: availableMemory(), disk: freeDisk(folder))
  }

  private static func freeDisk(_ folder: String) -> Int {
    var path = URL(filePath: folder).standardizedFileURL
    while !FileManager.default.fileExists(atPath: path.path), path.pathComponents.count > 1 {
      path = path.deletingLastPathComponent()
    }
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: path.path)
    return (attributes?[.systemFreeSize] as? NSNumber)?.intValue ?? .max
  }

  private static func availableMemory() -> Int {
    let physical = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    // What the kernel can give back counts as free; it says so itself.
    let lines = text("/proc/meminfo").split(separator: "\n")
    let free = lines.first { $0.hasPrefix("MemAvailable:") }.flatMap { line in
      line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
    }
    return ([free ?? physical, physical] + groupLimits()).min() ?? physical
  }

  /// Limits of the control groups that this process is in, of either version, and of those around them: schedulers limit
  /// a job, whose processes are in groups of their own.
  private static func groupLimits() -> [Int] {
    let limits = text("/proc/self/cgroup").split(separator: "\n").flatMap { line -> [String] in
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 3 else { return [] }
      if parts[1].isEmpty { return groups(parts[2]).map { "/sys/fs/cgroup\($0)/memory.max" } }
      guard parts[1].split(separator: ",").contains("memory") else { return [] }
      return groups(parts[2]).map { "/sys/fs/cgroup/memory\($0)/memory.limit_in_bytes" }
    }
    return limits.compactMap { Int(text($0).trimmingCharacters(in: .whitespacesAndNewlines)) }.filter { $0 < 1 << 60 }
  }

  /// A group and all around it: /a/b, /a and the root, which is the empty string.
  private static func groups(_ path: String) -> [String] {
    let names = path.split(separator: "/")
    return (0...names.count).map { names.prefix($0).map { "/\($0)" }.joined() }
  }

  private static func text(_ path: String) -> String {
    // Files of the kernel state no size, so that they are read to their end.
    guard let file = FileHandle(forReadingAtPath: path), let data = try? file.readToEnd() else { return "" }
    return String(decoding: data, as: UTF8.self)
  }
}
