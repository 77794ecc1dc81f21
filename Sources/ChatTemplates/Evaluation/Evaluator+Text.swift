extension Evaluator {
  /// Python's `str`.
  mutating func text(of value: Value, line: Int) throws(ChatTemplateError) -> String {
    switch value {
    case .undefined: return ""
    case .string(let text): return text
    default: return try literal(value, line: line)
    }
  }

  /// Python's `repr`.
  private mutating func literal(_ value: Value, line: Int) throws(ChatTemplateError) -> String {
    switch value {
    case .undefined: return "Undefined"
    case .none: return "None"
    case .boolean(let value): return value ? "True" : "False"
    case .integer(let value): return "\(value)"
    case .number(let value): return value.pythonText
    case .string(let text):
      try budget.spend(work: text, line: line)
      return text.pythonLiteral
    case .sequence(let list):
      let items = try joined(list.items.map { [$0] }, line: line)
      switch list.kind {
      case .list: return "[\(items)]"
      case .tuple: return list.items.count == 1 ? "(\(items),)" : "(\(items))"
      case .keys: return "dict_keys([\(items)])"
      case .values: return "dict_values([\(items)])"
      case .items: return "dict_items([\(items)])"
      case .range, .generator: throw .unsupported(line: line, feature: "a \(list.kind) as text")
      }
    case .dictionary(let mapping):
      return try "{" + joined(zip(mapping.keys, mapping.values).map { [$0, $1] }, line: line) + "}"
    case .namespace, .loop, .function, .macro, .method:
      throw .unsupported(line: line, feature: "\(value.summary) as text")
    }
  }

  /// Each member's values with a colon between them, and commas between the members.
  private mutating func joined(_ members: [[Value]], line: Int) throws(ChatTemplateError) -> String {
    var text = ""
    for member in members {
      if !text.isEmpty { text += ", " }
      for (index, value) in member.enumerated() {
        if index > 0 { text += ": " }
        let piece = try literal(value, line: line)
        try budget.spend(bytes: piece.utf8.count, line: line)
        text += piece
      }
    }
    return text
  }

  // MARK: What arguments must be

  func string(_ value: Value?, _ callee: Callee, line: Int) throws(ChatTemplateError) -> String {
    guard case .string(let text)? = value else {
      throw .failed(line: line, problem: "\(callee) takes a string, not \((value ?? .none).summary)")
    }
    return text
  }

  func optionalString(_ value: Value?, _ callee: Callee, line: Int) throws(ChatTemplateError) -> String? {
    switch value {
    case nil, .some(.none): nil
    default: try string(value, callee, line: line)
    }
  }

  func whole(_ value: Value, _ callee: Callee, line: Int) throws(ChatTemplateError) -> Int {
    guard let number = value.wholeNumber else {
      throw .failed(line: line, problem: "\(callee) takes a whole number, not \(value.summary)")
    }
    return number
  }

  // MARK: Searching and replacing

  /// The bytes where a text that is not empty stands in another, from left to right, `limit` times where
  /// that isn't negative. Paid for by what is compared.
  mutating func places(
    of part: String, in text: String, limit: Int, line: Int
  ) throws(ChatTemplateError) -> [Range<Int>] {
    let (whole, part) = (Array(text.utf8), Array(part.utf8))
    try budget.spend(bytes: whole.count + part.count, line: line)
    var places: [Range<Int>] = []
    var index = 0
    while index + part.count <= whole.count, limit < 0 || places.count < limit {
      var matched = 0
      while matched < part.count, whole[index + matched] == part[matched] { matched += 1 }
      if matched >= 8 { try budget.spend(bytes: matched, line: line) }
      if matched == part.count { places.append(index..<index + part.count) }
      index += matched == part.count ? part.count : 1
    }
    try budget.spend(items: places.count, line: line)
    return places
  }

  /// Python's `str.replace`: an empty text stands before each scalar and at the end.
  mutating func replaced(
    _ old: String, by new: String, in text: String, limit: Int, line: Int
  ) throws(ChatTemplateError) -> String {
    let pieces: [String]
    if old.isEmpty {
      try budget.spend(items: text.utf8.count, line: line)
      let scalars = Array(text.unicodeScalars)
      let count = limit < 0 ? scalars.count + 1 : min(limit, scalars.count + 1)
      guard count > 0 else { return text }
      var rest = String.UnicodeScalarView()
      rest.append(contentsOf: scalars[(count - 1)...])
      pieces = [""] + scalars[..<(count - 1)].map { String($0) } + [String(rest)]
    } else {
      pieces = text.pieces(between: try places(of: old, in: text, limit: limit, line: line))
    }
    let (bytes, overflow) = new.utf8.count.multipliedReportingOverflow(by: pieces.count)
    try budget.spend(bytes: overflow ? Int.max : bytes, line: line)
    return pieces.joined(separator: new)
  }
}
