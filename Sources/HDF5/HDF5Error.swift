import Files

/// Why an HDF5 file could not be used. Its text is one sentence: what failed, on which object of
/// which file, and why.
public enum HDF5Error: Error, Equatable, Sendable {
  /// What was being done.
  public enum Action: String, Sendable {
    case open, create, read, write, flush
    case inspect = "inspect"
    case list = "list the children of"
    case readAttribute = "read an attribute of"
    case writeAttribute = "write an attribute of"

    /// Whether the file may be left half-changed where it fails.
    var changesFile: Bool { [.create, .write, .flush, .writeAttribute].contains(self) }
  }

  /// The system refused to open the file.
  case file(FileError)

  /// libhdf5 refused; `reasons` are the messages of its error stack, the most specific first.
  case library(action: Action, file: String, object: String, reasons: [String])

  /// There is no object of that path.
  case missing(file: String, object: String)

  /// There is no attribute of that name.
  case missingAttribute(file: String, object: String, name: String)

  /// The object's elements, or the attribute's value, are of another type than the one asked for.
  case wrongType(file: String, object: String, expected: String, found: String)

  /// The dataset has another shape than the one asked for.
  case wrongShape(file: String, object: String, expected: [Int], found: [Int])

  /// As many elements as claimed cannot come from the bytes that the file has for them.
  case implausibleSize(file: String, object: String, bytes: Int?, stored: Int)

  /// The dataset's contents lie in other files, which are never opened.
  case contentsElsewhere(file: String, object: String)

  /// libhdf5 crashed, ran on or ran out of memory when another process read the file.
  case unreadable(file: String)

  /// The caller's values don't fill the shape, or a parameter is outside its range.
  case invalidArgument(file: String, object: String, reason: String)
}

extension HDF5Error: CustomStringConvertible {
  public var description: String {
    switch self {
    case .file(let error):
      return error.description
    case .library(let action, let file, let object, let reasons):
      // The system's own word, where it was the system that refused.
      if let word = reasons.lazy.compactMap({ $0.firstMatch(of: /error message = '([^']+)'/)?.1 }).first {
        return "cannot \(action.rawValue) '\(object)' in '\(file)': \(word)"
      }
      // What comes after the first few says through which of its layers the library came back.
      return "cannot \(action.rawValue) '\(object)' in '\(file)': HDF5 says: "
        + reasons.prefix(3).joined(separator: "; ").replacing("\n", with: "")
    case .missing(let file, let object):
      return "'\(file)' has no object '\(object)': it may be another kind of file or of another version"
    case .missingAttribute(let file, let object, let name):
      return "'\(object)' in '\(file)' has no attribute '\(name)': it may be another kind of file or of another version"
    case .wrongType(let file, let object, let expected, let found):
      return "'\(object)' in '\(file)' holds \(found) instead of \(expected)"
    case .wrongShape(let file, let object, let expected, let found):
      return "'\(object)' in '\(file)' has shape \(found) instead of \(expected)"
    case .implausibleSize(let file, let object, let bytes, let stored):
      let claim = bytes.map { "\($0)" } ?? "more than 2^63"
      return "'\(object)' in '\(file)' claims \(claim) bytes, but has only \(stored) on disk: the file is damaged"
    case .contentsElsewhere(let file, let object):
      return "'\(object)' in '\(file)' keeps its contents in other files: copy it into one file first"
    case .unreadable(let file):
      return "'\(file)' makes libhdf5 crash, run on for ever or run out of memory: make it again"
    case .invalidArgument(let file, let object, let reason):
      return "cannot write '\(object)' in '\(file)': \(reason)"
    }
  }
}
