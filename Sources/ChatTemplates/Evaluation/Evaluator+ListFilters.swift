extension Evaluator {
  /// Filters on several values.
  mutating func listFilter(
    _ name: String, on value: Value, _ arguments: Arguments
  ) throws(ChatTemplateError) -> Value {
    let (line, callee) = (arguments.line, Callee(kind: "filter", name: name))
    switch name {
    case "length", "count":
      _ = try arguments.bound(of: callee)
      return .integer(try count(of: value, line: line))
    case "first":
      _ = try arguments.bound(of: callee)
      return try items(of: value, line: line).first ?? .undefined("first")
    case "last":
      _ = try arguments.bound(of: callee)
      if case .sequence(let list) = value, list.kind == .generator {
        throw .failed(line: line, problem: "what a filter gives has no last item before it is a list")
      }
      return try items(of: value, line: line).last ?? .undefined("last")
    case "list":
      _ = try arguments.bound(of: callee)
      return .sequence(try list(items(of: value, line: line), line: line))
    case "items":
      _ = try arguments.bound(of: callee)
      switch value {
      case .undefined: return .sequence(try list([], .generator, line: line))
      case .dictionary(let mapping): return .sequence(try pairs(of: mapping, .generator, line: line))
      default: throw .failed(line: line, problem: "\(callee) takes a dictionary, not \(value.summary)")
      }
    case "join": return .string(try joined(value, arguments, callee))
    case "map": return try mapped(value, arguments, callee)
    case "select", "reject", "selectattr", "rejectattr": return try selected(name, of: value, arguments, callee)
    default: throw .unsupported(line: line, feature: "\(callee)")
    }
  }

  private mutating func count(of value: Value, line: Int) throws(ChatTemplateError) -> Int {
    switch value {
    case .undefined: return 0
    case .string(let text):
      try budget.spend(bytes: text.utf8.count, line: line)
      return text.unicodeScalars.count
    case .sequence(let list) where list.kind != .generator: return list.items.count
    case .dictionary(let mapping): return mapping.keys.count
    case .loop(let state): return state.items.count
    default: throw .failed(line: line, problem: "\(value.summary) has no length")
    }
  }

  private mutating func joined(
    _ value: Value, _ arguments: Arguments, _ callee: Callee
  ) throws(ChatTemplateError) -> String {
    let line = arguments.line
    let bound = try arguments.bound(to: "d", "attribute", of: callee)
    let separator = try text(of: bound[0] ?? .string(""), line: line)
    var result = ""
    for (index, item) in try items(of: value, line: line).enumerated() {
      let value = try bound[1].map { path throws(ChatTemplateError) in
        try attribute(at: path, of: item, line: line)
      }
      let piece = try text(of: value ?? item, line: line)
      try budget.spend(bytes: separator.utf8.count + piece.utf8.count, line: line)
      if index > 0 { result += separator }
      result += piece
    }
    return result
  }

  /// `map(attribute="a.b", default=0)`, or `map("filter", …)`.
  private mutating func mapped(
    _ value: Value, _ arguments: Arguments, _ callee: Callee
  ) throws(ChatTemplateError) -> Value {
    let line = arguments.line
    var results: [Value] = []
    if let first = arguments.positional.first {
      let name = try string(first, callee, line: line)
      let rest = Arguments(positional: Array(arguments.positional.dropFirst()), named: arguments.named, line: line)
      for item in try items(of: value, line: line) {
        // `map` may map with `map`.
        let result = try deeper(line: line) { evaluator throws(ChatTemplateError) in
          try evaluator.filter(name, on: item, rest)
        }
        results.append(result)
      }
    } else {
      let bound = try arguments.bound(to: "attribute", "default", required: 1, of: callee)
      for item in try items(of: value, line: line) {
        var result = try attribute(at: bound[0] ?? .none, of: item, line: line)
        if case .undefined = result, let other = bound[1] { result = other }
        results.append(result)
      }
    }
    return .sequence(try list(results, .generator, line: line))
  }

  /// `select("test", …)` and `selectattr("attribute", "test", …)`: without a test, what is true.
  private mutating func selected(
    _ name: String, of value: Value, _ arguments: Arguments, _ callee: Callee
  ) throws(ChatTemplateError) -> Value {
    let line = arguments.line
    var positional = arguments.positional[...]
    var path: Value?
    if name.hasSuffix("attr") {
      path = positional.popFirst()
      guard path != nil else { throw .failed(line: line, problem: "\(callee) needs an attribute") }
    }
    let test = try positional.popFirst().map { value throws(ChatTemplateError) in
      try string(value, callee, line: line)
    }
    let rest = Arguments(positional: Array(positional), named: arguments.named, line: line)
    var kept: [Value] = []
    for item in try items(of: value, line: line) {
      try budget.spend(1, line: line)
      let subject = try path.map { path throws(ChatTemplateError) in
        try attribute(at: path, of: item, line: line)
      }
      let passes = try test.map { test throws(ChatTemplateError) in
        try self.test(test, of: subject ?? item, rest)
      }
      if (passes ?? (subject ?? item).isTrue) == name.hasPrefix("select") { kept.append(item) }
    }
    return .sequence(try list(kept, .generator, line: line))
  }

  /// What a path like `a.b.0` leads to.
  private mutating func attribute(at path: Value, of value: Value, line: Int) throws(ChatTemplateError) -> Value {
    guard case .string(let text) = path else { return try item(path, of: value, line: line) }
    var value = value
    for name in text.split(separator: ".", omittingEmptySubsequences: false) {
      try budget.spend(1, line: line)
      let key = Int(name).map(Value.integer) ?? .string(String(name))
      value = try item(key, of: value, line: line)
    }
    return value
  }
}
