/// How a file holds text, told by its name.
struct TextFormat: Equatable {
  enum Layout { case text, jsonl }
  enum Compression { case none, zstandard, gzip }

  var layout: Layout
  var compression: Compression

  init(path: String) throws(CorpusError) {
    var parts = path.split(separator: ".").map { $0.lowercased() }
    compression =
      switch parts.last {
      case "zst": .zstandard
      case "gz": .gzip
      default: .none
      }
    if compression != .none { parts.removeLast() }
    switch parts.last {
    case "txt": layout = .text
    case "jsonl": layout = .jsonl
    default: throw .unknownFormat(path: path)
    }
  }
}
