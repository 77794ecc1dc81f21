extension Evaluator {
  /// `value.name`: a method before a dictionary's entry, as in Jinja.
  mutating func attribute(_ name: String, of value: Value, line: Int) throws(ChatTemplateError) -> Value {
    switch value {
    case .undefined(let owner): throw .failed(line: line, problem: "'\(owner)' is undefined and has no '\(name)'")
    case .namespace(let place): return namespaces[place][name] ?? .undefined(name)
    case .loop(let state): return try attribute(name, of: state, line: line)
    default: break
    }
    if Method(rawValue: name)?.applies(to: value) == true { return .method(value, name) }
    if Method.foreign(on: value).contains(name) {
      throw .unsupported(line: line, feature: "the method '\(name)' of \(value.summary)")
    }
    if case .dictionary(let mapping) = value, let entry = mapping[Key(name)] { return entry }
    return .undefined(name)
  }

  /// `value[key]`: a dictionary's entry before a method.
  mutating func item(_ key: Value, of value: Value, line: Int) throws(ChatTemplateError) -> Value {
    switch value {
    case .undefined(let owner): throw .failed(line: line, problem: "'\(owner)' is undefined and has no items")
    case .dictionary(let mapping):
      if let key = Key(key), let entry = mapping[key] { return entry }
    case .sequence(let list) where list.isIndexed:
      guard let index = key.wholeNumber else { break }
      let place = index < 0 ? index + list.items.count : index
      return list.items.indices.contains(place) ? list.items[place] : .undefined("\(index)")
    case .string(let text):
      guard let index = key.wholeNumber else { break }
      try budget.spend(bytes: text.utf8.count, line: line)
      let scalars = text.unicodeScalars
      let found =
        index < 0
        ? scalars.index(scalars.endIndex, offsetBy: index, limitedBy: scalars.startIndex)
        : scalars.index(scalars.startIndex, offsetBy: index, limitedBy: scalars.endIndex)
      guard let found, found < scalars.endIndex else { return .undefined("\(index)") }
      return .string(String(scalars[found]))
    default: break
    }
    if case .string(let name) = key { return try attribute(name, of: value, line: line) }
    return .undefined("item")
  }

  private mutating func attribute(_ name: String, of loop: LoopState, line: Int) throws(ChatTemplateError) -> Value {
    let (index, count) = (loop.index, loop.items.count)
    switch name {
    case "index": return .integer(index + 1)
    case "index0": return .integer(index)
    case "revindex": return .integer(count - index)
    case "revindex0": return .integer(count - index - 1)
    case "first": return .boolean(index == 0)
    case "last": return .boolean(index == count - 1)
    case "length": return .integer(count)
    case "previtem": return index > 0 ? loop.items[index - 1] : .undefined(name)
    case "nextitem": return index + 1 < count ? loop.items[index + 1] : .undefined(name)
    case "cycle", "changed", "depth", "depth0": throw .unsupported(line: line, feature: "'loop.\(name)'")
    default: return .undefined(name)
    }
  }

  /// `value[start:stop:step]`, of which each may be missing.
  mutating func slice(of value: Value, _ bounds: [Expression?], line: Int) throws(ChatTemplateError) -> Value {
    var numbers: [Int?] = [nil, nil, nil]
    for (place, bound) in bounds.enumerated() {
      guard let bound else { continue }
      switch try evaluate(bound) {
      case .none: continue
      case let value:
        // Jinja's sandbox gives nothing where Python would raise a type error.
        guard let number = value.wholeNumber else { return .undefined("slice") }
        numbers[place] = number
      }
    }
    let step = numbers[2] ?? 1
    switch value {
    case .string, .sequence: guard step != 0 else { throw .failed(line: line, problem: "a slice's step is zero") }
    default: break
    }
    switch value {
    case .string(let text):
      try budget.spend(bytes: text.utf8.count, line: line)
      let scalars = Array(text.unicodeScalars)
      var view = String.UnicodeScalarView()
      for index in Self.indices(numbers[0], numbers[1], step, count: scalars.count) { view.append(scalars[index]) }
      return .string(String(view))
    case .sequence(let list) where list.isIndexed:
      let indices = Self.indices(numbers[0], numbers[1], step, count: list.items.count)
      return .sequence(try self.list(indices.map { list.items[$0] }, list.kind, line: line))
    case .undefined(let name): throw .failed(line: line, problem: "'\(name)' is undefined and has no items")
    default: return .undefined("slice")
    }
  }

  /// The places that a slice takes, by Python's rules for bounds that are negative, missing or outside.
  private static func indices(_ start: Int?, _ stop: Int?, _ step: Int, count: Int) -> [Int] {
    let (lowest, highest) = step > 0 ? (0, count) : (-1, count - 1)
    func clamped(_ bound: Int?, _ missing: Int) -> Int {
      guard let bound else { return missing }
      let place = bound < 0 ? max(bound, -count - 1) + count : bound
      return min(max(place, lowest), highest)
    }
    let first = clamped(start, step > 0 ? lowest : highest)
    let last = clamped(stop, step > 0 ? highest : lowest)
    // A step longer than the list takes one item at most, however long it is.
    return Array(stride(from: first, to: last, by: step > 0 ? min(step, count + 1) : max(step, -count - 1)))
  }

  /// What a loop over a value goes through.
  mutating func items(of value: Value, line: Int) throws(ChatTemplateError) -> [Value] {
    switch value {
    case .undefined: return []
    case .sequence(let list): return list.items
    case .dictionary(let mapping): return mapping.keys
    case .string(let text):
      try budget.spend(items: text.utf8.count, line: line)
      return text.unicodeScalars.map { .string(String($0)) }
    default: throw .failed(line: line, problem: "\(value.summary) has no items")
    }
  }
}

extension List {
  /// Whether it has places to count by: generators and a dictionary's views have none.
  var isIndexed: Bool { kind == .list || kind == .tuple || kind == .range }
}
