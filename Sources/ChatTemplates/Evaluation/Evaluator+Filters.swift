extension Evaluator {
  mutating func filter(
    _ name: String, on value: Value, _ arguments: Arguments
  ) throws(ChatTemplateError) -> Value {
    let (line, callee) = (arguments.line, Callee(kind: "filter", name: name))
    switch name {
    case "trim":
      let characters = try optionalString(arguments.bound(to: "chars", of: callee)[0], callee, line: line)
      let text = try text(of: value, line: line)
      try budget.spend(work: text, line: line)
      return .string(text.stripped(of: characters, start: true, end: true))
    case "upper", "lower", "capitalize", "string", "safe":
      _ = try arguments.bound(of: callee)
      return .string(try cased(text(of: value, line: line), by: name, line: line))
    case "replace":
      let bound = try arguments.bound(to: "old", "new", "count", required: 2, of: callee)
      let (old, new) = (try text(of: bound[0] ?? .none, line: line), try text(of: bound[1] ?? .none, line: line))
      let limit = try bound[2].map { value throws(ChatTemplateError) in try whole(value, callee, line: line) } ?? -1
      return .string(try replaced(old, by: new, in: text(of: value, line: line), limit: limit, line: line))
    case "indent": return .string(try indented(value, arguments, callee))
    case "tojson": return .string(try json(value, arguments, callee))
    case "default", "d":
      let bound = try arguments.bound(to: "default_value", "boolean", of: callee)
      var isMissing = bound[1]?.isTrue == true && !value.isTrue
      if case .undefined = value { isMissing = true }
      return isMissing ? bound[0] ?? .string("") : value
    case "int": return try integer(value, arguments, callee)
    default: return try listFilter(name, on: value, arguments)
    }
  }

  private mutating func cased(_ text: String, by name: String, line: Int) throws(ChatTemplateError) -> String {
    try budget.spend(work: text, line: line)
    switch name {
    case "upper": return text.uppercased()
    case "lower": return text.lowercased()
    case "capitalize": return text.pythonCapitalized
    default: return text
    }
  }

  /// Python's `int` of a number or of a text in base 10, or the default where it is none.
  private mutating func integer(
    _ value: Value, _ arguments: Arguments, _ callee: Callee
  ) throws(ChatTemplateError) -> Value {
    let bound = try arguments.bound(to: "default", of: callee)
    let otherwise = bound[0] ?? .integer(0)
    let number: Double?
    switch value {
    case .boolean, .integer: return .integer(value.wholeNumber ?? 0)
    case .undefined(let name): throw .failed(line: arguments.line, problem: "'\(name)' is undefined")
    case .number(let value): number = value
    case .string(let text):
      let digits = text.stripped(of: nil, start: true, end: true)
      if let whole = Int(digits) { return .integer(whole) }
      let isDecimal = digits.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
      number = isDecimal ? Double(digits) : nil
    default: return otherwise
    }
    guard let number, number.isFinite else { return otherwise }
    guard let whole = Int(exactly: number.rounded(.towardZero)) else {
      throw .unsupported(line: arguments.line, feature: "a whole number beyond 64 bits")
    }
    return .integer(whole)
  }

  private mutating func indented(
    _ value: Value, _ arguments: Arguments, _ callee: Callee
  ) throws(ChatTemplateError) -> String {
    let line = arguments.line
    let bound = try arguments.bound(to: "width", "first", "blank", of: callee)
    let text = try string(value, callee, line: line)
    let indentation: String
    if case .string(let text)? = bound[0] {
      indentation = text
    } else {
      let width = try bound[0].map { value throws(ChatTemplateError) in try whole(value, callee, line: line) } ?? 4
      try budget.spend(bytes: max(width, 0), line: line)
      indentation = String(spaces: max(width, 0))
    }
    let (indentsFirst, indentsBlank) = (bound[1]?.isTrue ?? false, bound[2]?.isTrue ?? false)
    try budget.spend(work: text, line: line)
    var result = ""
    for (index, content) in (text + "\n").pythonLines.enumerated() {
      if index > 0 { result += "\n" }
      let isIndented = index == 0 ? indentsFirst : indentsBlank || !content.isEmpty
      try budget.spend(bytes: isIndented ? indentation.utf8.count : 0, line: line)
      result += isIndented ? indentation + content : content
    }
    return result
  }
}
