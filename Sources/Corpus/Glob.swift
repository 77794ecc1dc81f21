import Foundation

/// Expands path patterns: `*` stands for any characters of a name, `?` for one, and `**` as a whole
/// part for any number of folders (at the end, for all files below). Names that begin with a dot, and links to folders under `**`,
/// are passed over.
enum Glob {
  /// The regular files that match, sorted. A pattern that is itself a path is taken as one.
  static func expand(_ pattern: String) throws(CorpusError) -> [String] {
    if isFile(pattern) { return [pattern] }
    let parts = pattern.split(separator: "/").map(String.init)
    var found: Set<String> = []
    collect(parts[...], below: pattern.hasPrefix("/") ? "/" : "", into: &found)
    guard !found.isEmpty else { throw .noFiles(pattern: pattern) }
    return found.sorted()
  }

  /// All patterns' files in order, each once.
  static func expand(_ patterns: [String]) throws(CorpusError) -> [String] {
    var seen: Set<String> = []
    var files: [String] = []
    for pattern in patterns {
      for file in try expand(pattern) where seen.insert(file).inserted { files.append(file) }
    }
    return files
  }

  private static func collect(_ parts: ArraySlice<String>, below folder: String, into found: inout Set<String>) {
    guard let part = parts.first else {
      let path = String(folder.dropLast())
      if isFile(path) { found.insert(path) }
      return
    }
    let rest = parts.dropFirst()
    if part == "**" {
      collect(rest.isEmpty ? ["*"] : rest, below: folder, into: &found)
      for name in names(in: folder) where isFolder(folder + name) {
        collect(parts, below: "\(folder)\(name)/", into: &found)
      }
    } else if part.contains(where: { $0 == "*" || $0 == "?" }) {
      for name in names(in: folder) where matches(name, part) {
        collect(rest, below: "\(folder)\(name)/", into: &found)
      }
    } else {
      collect(rest, below: "\(folder)\(part)/", into: &found)
    }
  }

  /// Whether a name matches one part of a pattern. Complexity: O(name × pattern) at worst.
  static func matches(_ name: String, _ pattern: String) -> Bool {
    let (name, pattern) = (Array(name), Array(pattern))
    var (i, j) = (0, 0)
    // Where to go on after a mismatch: the last star, having swallowed one more character.
    var retry: (name: Int, pattern: Int)?
    while i < name.count {
      if j < pattern.count, pattern[j] == "*" {
        retry = (i, j)
        j += 1
      } else if j < pattern.count, pattern[j] == "?" || pattern[j] == name[i] {
        i += 1
        j += 1
      } else if let star = retry {
        retry = (star.name + 1, star.pattern)
        (i, j) = (star.name + 1, star.pattern + 1)
      } else {
        return false
      }
    }
    return pattern[j...].allSatisfy { $0 == "*" }
  }

  private static func names(in folder: String) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)
    return (names ?? []).filter { !$0.hasPrefix(".") }
  }

  private static func isFile(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
  }

  private static func isFolder(_ path: String) -> Bool {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return attributes?[.type] as? FileAttributeType == .typeDirectory
  }
}
