import Files
import HDF5

/// Why text could not be read or sampled. Each text is one sentence: what, where, what to do.
public enum CorpusError: Error, Equatable, Sendable {
  /// A pattern names no file.
  case noFiles(pattern: String)

  /// The file's name does not tell a format that is known.
  case unknownFormat(path: String)

  /// The system refused to read or write a file.
  case file(FileError)

  /// A compressed file cannot be unpacked.
  case damaged(path: String, reason: String)

  /// A line of a JSONL file is no object with the text in its field. Lines count from one.
  case badLine(path: String, line: Int, reason: String)

  /// A document is larger than the reader accepts.
  case documentTooLarge(path: String, line: Int?, limit: Int)

  /// What was asked of the sampler makes no sense.
  case badRequest(reason: String)

  /// A source has fewer tokens than its share of the sample.
  case tooFewTokens(patterns: [String], available: Int, needed: Int, sequenceLength: Int)

  /// A sample file could not be used by the HDF5 library.
  case hdf5(HDF5Error)

  /// A file is no sample, or contradicts itself.
  case invalidSample(path: String, reason: String)
}

extension CorpusError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noFiles(let pattern):
      return "no file matches '\(pattern)': check the path, which is relative to the working directory"
    case .unknownFormat(let path):
      return "cannot tell the format of '\(path)': name it .txt or .jsonl, alone or followed by .zst or .gz"
    case .file(let error):
      return error.description
    case .damaged(let path, let reason):
      return "cannot unpack '\(path)': \(reason)"
    case .badLine(let path, let line, let reason):
      return "line \(line) of '\(path)' \(reason)"
    case .documentTooLarge(let path, let line, let limit):
      let place = line.map { "line \($0) of '\(path)'" } ?? "'\(path)'"
      return "\(place) is a document of more than \(limit) bytes: split it"
    case .badRequest(let reason):
      return reason
    case .tooFewTokens(let patterns, let available, let needed, let sequenceLength):
      return """
        \(patterns.joined(separator: ", ")) holds \(available) tokens, enough for \(available / sequenceLength) \
        sequences of \(sequenceLength), but the sample needs \(needed) from it: ask for fewer tokens or add text
        """
    case .hdf5(let error):
      return error.description
    case .invalidSample(let path, let reason):
      return "'\(path)' is not a usable sample: \(reason)"
    }
  }
}
