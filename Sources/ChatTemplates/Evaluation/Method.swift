/// Python's methods that templates may call: those of immutable use.
enum Method: String {
  case strip, lstrip, rstrip, split, upper, lower, title, capitalize, startswith, endswith, replace
  case items, keys, values, get

  func applies(to value: Value) -> Bool {
    switch (self, value) {
    case (.items, .dictionary), (.keys, .dictionary), (.values, .dictionary), (.get, .dictionary): true
    case (.items, _), (.keys, _), (.values, _), (.get, _): false
    case (_, .string): true
    default: false
    }
  }

  /// Python's further methods of a type, which must not pass for undefined.
  static func foreign(on value: Value) -> Set<String> {
    switch value {
    case .string: foreignOfStrings
    case .dictionary: ["clear", "copy", "fromkeys", "pop", "popitem", "setdefault", "update"]
    case .sequence(let list) where list.kind == .list:
      ["append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort"]
    case .sequence(let list) where list.kind == .tuple || list.kind == .range: ["count", "index"]
    default: []
    }
  }

  private static let foreignOfStrings: Set = [
    "casefold", "center", "count", "encode", "expandtabs", "find", "format", "format_map", "index", "isalnum",
    "isalpha",
    "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isprintable", "isspace", "istitle",
    "isupper", "join", "ljust", "maketrans", "partition", "removeprefix", "removesuffix", "rfind", "rindex", "rjust",
    "rpartition", "rsplit", "splitlines", "swapcase", "translate", "zfill",
  ]
}

extension Evaluator {
  mutating func call(
    _ method: Method, of receiver: Value, _ arguments: Arguments
  ) throws(ChatTemplateError) -> Value {
    switch receiver {
    case .string(let text): return try call(method, of: text, arguments)
    case .dictionary(let mapping): return try call(method, of: mapping, arguments)
    default: throw .failed(line: arguments.line, problem: "\(receiver.summary) has no method '\(method.rawValue)'")
    }
  }

  private mutating func call(
    _ method: Method, of mapping: Mapping, _ arguments: Arguments
  ) throws(ChatTemplateError) -> Value {
    let (line, callee) = (arguments.line, Callee(kind: "method", name: method.rawValue))
    if method == .get {
      let bound = try arguments.bound(to: "key", "default", required: 1, of: callee)
      return try mapping[key(bound[0] ?? .none, line: line)] ?? bound[1] ?? .none
    }
    _ = try arguments.bound(of: callee)
    switch method {
    case .keys: return .sequence(try list(mapping.keys, .keys, line: line))
    case .values: return .sequence(try list(mapping.values, .values, line: line))
    default: return .sequence(try pairs(of: mapping, .items, line: line))
    }
  }

  mutating func pairs(of mapping: Mapping, _ kind: List.Kind, line: Int) throws(ChatTemplateError) -> List {
    var pairs: [Value] = []
    for (name, value) in zip(mapping.keys, mapping.values) {
      pairs.append(.sequence(try list([name, value], .tuple, line: line)))
    }
    return try list(pairs, kind, line: line)
  }

  private mutating func call(
    _ method: Method, of text: String, _ arguments: Arguments
  ) throws(ChatTemplateError) -> Value {
    let (line, callee) = (arguments.line, Callee(kind: "method", name: method.rawValue))
    try budget.spend(work: text, line: line)
    switch method {
    case .strip, .lstrip, .rstrip:
      let characters = try optionalString(arguments.bound(to: "chars", of: callee)[0], callee, line: line)
      return .string(text.stripped(of: characters, start: method != .rstrip, end: method != .lstrip))
    case .split:
      let bound = try arguments.bound(to: "sep", "maxsplit", of: callee)
      let limit = try bound[1].map { value throws(ChatTemplateError) in try whole(value, callee, line: line) } ?? -1
      let separator = try optionalString(bound[0], callee, line: line)
      let pieces = try separator.map { separator throws(ChatTemplateError) in
        try split(text, at: separator, limit: limit, line: line)
      }
      return .sequence(try list((pieces ?? text.words(limit: limit)).map(Value.string), line: line))
    case .startswith, .endswith:
      let affix = try arguments.bound(to: "affix", required: 1, of: callee)[0] ?? .none
      let affixes = if case .sequence(let list) = affix, list.kind == .tuple { list.items } else { [affix] }
      for affix in affixes {
        let affix = try string(affix, callee, line: line).utf8
        if method == .startswith ? text.utf8.starts(with: affix) : text.utf8.suffix(affix.count).elementsEqual(affix) {
          return .boolean(true)
        }
      }
      return .boolean(false)
    case .replace:
      let bound = try arguments.bound(to: "old", "new", "count", required: 2, of: callee)
      let (old, new) = (try string(bound[0], callee, line: line), try string(bound[1], callee, line: line))
      let limit = try bound[2].map { value throws(ChatTemplateError) in try whole(value, callee, line: line) } ?? -1
      return .string(try replaced(old, by: new, in: text, limit: limit, line: line))
    case .upper, .lower, .title, .capitalize:
      _ = try arguments.bound(of: callee)
      switch method {
      case .upper: return .string(text.uppercased())
      case .lower: return .string(text.lowercased())
      case .title: return .string(text.pythonTitle)
      default: return .string(text.pythonCapitalized)
      }
    case .items, .keys, .values, .get:
      throw .failed(line: line, problem: "a string has no method \(callee)")
    }
  }

  private mutating func split(
    _ text: String, at separator: String, limit: Int, line: Int
  ) throws(ChatTemplateError) -> [String] {
    guard !separator.isEmpty else { throw .failed(line: line, problem: "a text is split at an empty one") }
    return try text.pieces(between: places(of: separator, in: text, limit: limit, line: line))
  }
}
