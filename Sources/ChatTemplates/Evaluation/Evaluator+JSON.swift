extension Evaluator {
  /// The `tojson` that Hugging Face gives to chat templates, Python's `json.dumps`, without Jinja's escapes for HTML.
  mutating func json(
    _ value: Value, _ arguments: Arguments, _ callee: Callee
  ) throws(ChatTemplateError) -> String {
    let line = arguments.line
    let bound = try arguments.bound(to: "ensure_ascii", "indent", "separators", "sort_keys", of: callee)
    var layout = JSONLayout()
    layout.isASCII = bound[0]?.isTrue ?? false
    layout.sortsKeys = bound[3]?.isTrue ?? false
    switch bound[1] {
    case nil, .some(.none): break
    case .some(let indent):
      let width = max(0, try whole(indent, callee, line: line))
      try budget.spend(bytes: width, line: line)
      layout.indentation = String(spaces: width)
      layout.comma = ","
    }
    switch bound[2] {
    case nil, .some(.none): break
    case .some(let separators):
      let pair = try items(of: separators, line: line)
      guard pair.count == 2 else { throw .failed(line: line, problem: "\(callee) takes two separators") }
      layout.comma = try string(pair[0], callee, line: line)
      layout.colon = try string(pair[1], callee, line: line)
    }
    var text = ""
    try write(value, depth: 0, layout, into: &text, line: line)
    return text
  }

  private struct JSONLayout {
    var isASCII = false
    var sortsKeys = false
    var indentation: String?
    var comma = ", "
    var colon = ": "
  }

  private mutating func write(
    _ value: Value, depth: Int, _ layout: JSONLayout, into text: inout String, line: Int
  ) throws(ChatTemplateError) {
    try budget.spend(1, line: line)
    switch value {
    case .none: text += "null"
    case .boolean(let value): text += value ? "true" : "false"
    case .integer(let value): text += "\(value)"
    case .number(let value): text += value.jsonText
    case .string(let string): try write(string, layout, into: &text, line: line)
    case .sequence(let list) where list.kind == .list || list.kind == .tuple:
      try enclose("[", list.items, "]", depth, layout, into: &text, line: line) {
        evaluator, item, text throws(ChatTemplateError) in
        try evaluator.write(item, depth: depth + 1, layout, into: &text, line: line)
      }
    case .dictionary(let mapping):
      let members = try members(of: mapping, layout, line: line)
      try enclose("{", members, "}", depth, layout, into: &text, line: line) {
        evaluator, member, text throws(ChatTemplateError) in
        try evaluator.write(member.name, layout, into: &text, line: line)
        text += layout.colon
        try evaluator.write(member.value, depth: depth + 1, layout, into: &text, line: line)
      }
    default: throw .failed(line: line, problem: "\(value.summary) can't be written as JSON")
    }
  }

  private mutating func enclose<Item>(
    _ open: String, _ items: [Item], _ close: String, _ depth: Int, _ layout: JSONLayout, into text: inout String,
    line: Int, _ write: (inout Evaluator, Item, inout String) throws(ChatTemplateError) -> Void
  ) throws(ChatTemplateError) {
    text += open
    for (index, item) in items.enumerated() {
      if index > 0 { text += layout.comma }
      try breakLine(depth + 1, layout, into: &text, line: line)
      try write(&self, item, &text)
      try budget.spend(bytes: layout.comma.utf8.count + layout.colon.utf8.count, line: line)
    }
    if !items.isEmpty { try breakLine(depth, layout, into: &text, line: line) }
    text += close
  }

  private mutating func breakLine(
    _ depth: Int, _ layout: JSONLayout, into text: inout String, line: Int
  ) throws(ChatTemplateError) {
    guard let indentation = layout.indentation else { return }
    try budget.spend(bytes: depth * indentation.utf8.count, line: line)
    text += "\n" + String(repeating: indentation, count: depth)
  }

  private mutating func members(
    of mapping: Mapping, _ layout: JSONLayout, line: Int
  ) throws(ChatTemplateError) -> [(name: String, value: Value)] {
    try budget.spend(items: mapping.keys.count, line: line)
    var members: [(name: String, value: Value)] = []
    for (key, value) in zip(mapping.keys, mapping.values) {
      switch key {
      case .string(let name): members.append((name, value))
      case _ where layout.sortsKeys:
        throw .unsupported(line: line, feature: "JSON with sorted keys that are not text")
      case .none: members.append(("null", value))
      case .boolean(let key): members.append((key ? "true" : "false", value))
      case .number(let key): members.append((key.jsonText, value))
      default: members.append((try text(of: key, line: line), value))
      }
    }
    return layout.sortsKeys ? members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) } : members
  }

  private mutating func write(
    _ string: String, _ layout: JSONLayout, into text: inout String, line: Int
  ) throws(ChatTemplateError) {
    try budget.spend(work: string, line: line)
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{8}": text += "\\b"
      case "\u{C}": text += "\\f"
      case _ where scalar.value < 0x20 || (layout.isASCII && scalar.value > 0x7E):
        for unit in String(scalar).utf16 { text += "\\u" + unit.hexadecimal(digits: 4) }
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

extension Double {
  fileprivate var jsonText: String {
    isFinite ? pythonText : isNaN ? "NaN" : self < 0 ? "-Infinity" : "Infinity"
  }
}
