extension Evaluator {
  /// Booleans are numbers, as in Python.
  func numeric(_ value: Value, _ operation: String, line: Int) throws(ChatTemplateError) -> Value {
    switch value {
    case .boolean(let value): return .integer(value ? 1 : 0)
    case .integer, .number: return value
    case .undefined(let name): throw .failed(line: line, problem: "'\(name)' is undefined")
    default: throw .failed(line: line, problem: "'\(operation)' can't be used on \(value.summary)")
    }
  }

  func negated(_ value: Value, line: Int) throws(ChatTemplateError) -> Value {
    switch try numeric(value, "-", line: line) {
    case .number(let value): return .number(-value)
    case let value: return try integers(.subtract, 0, value.wholeNumber ?? 0, line: line)
    }
  }

  mutating func arithmetic(
    _ operation: Arithmetic, _ left: Value, _ right: Value, line: Int
  ) throws(ChatTemplateError) -> Value {
    switch (operation, left, right) {
    case (.add, .string(let left), .string(let right)):
      try budget.spend(bytes: left.utf8.count + right.utf8.count, line: line)
      return .string(left + right)
    case (.add, .sequence(let left), .sequence(let right))
    where left.kind == right.kind && (left.kind == .list || left.kind == .tuple):
      try budget.spend(items: left.items.count + right.items.count, line: line)
      return .sequence(try list(left.items + right.items, left.kind, line: line))
    case (.multiply, .string(let text), .integer(let count)), (.multiply, .integer(let count), .string(let text)):
      let (bytes, overflow) = text.utf8.count.multipliedReportingOverflow(by: max(count, 0))
      try budget.spend(bytes: overflow ? Int.max : bytes, line: line)
      return .string(String(repeating: text, count: max(count, 0)))
    case (.multiply, .sequence, _), (.multiply, _, .sequence):
      throw .unsupported(line: line, feature: "a list repeated with '*'")
    case (.modulo, .string, _):
      throw .unsupported(line: line, feature: "text formatted with '%'")
    default: break
    }
    let symbol = operation == .floorDivide ? "//" : String(operation.rawValue)
    let (first, second) = (try numeric(left, symbol, line: line), try numeric(right, symbol, line: line))
    if operation != .divide, let first = first.wholeNumber, let second = second.wholeNumber {
      return try integers(operation, first, second, line: line)
    }
    return .number(try numbers(operation, first.realNumber, second.realNumber, line: line))
  }

  /// Division rounds toward minus infinity, and a remainder has its divisor's sign.
  private func integers(
    _ operation: Arithmetic, _ left: Int, _ right: Int, line: Int
  ) throws(ChatTemplateError) -> Value {
    let result: (partialValue: Int, overflow: Bool)
    switch operation {
    case .add: result = left.addingReportingOverflow(right)
    case .subtract: result = left.subtractingReportingOverflow(right)
    case .multiply: result = left.multipliedReportingOverflow(by: right)
    case .divide, .floorDivide, .modulo:
      guard right != 0 else { throw .failed(line: line, problem: "a number is divided by zero") }
      let (quotient, overflow) = left.dividedReportingOverflow(by: right)
      guard !overflow else { return try integers(.multiply, left, right, line: line) }
      let remainder = left % right
      let isInexact = remainder != 0 && (remainder < 0) != (right < 0)
      result = (
        operation == .modulo ? (isInexact ? remainder + right : remainder) : (isInexact ? quotient - 1 : quotient),
        false
      )
    }
    guard !result.overflow else { throw .unsupported(line: line, feature: "a whole number beyond 64 bits") }
    return .integer(result.partialValue)
  }

  private func numbers(
    _ operation: Arithmetic, _ left: Double, _ right: Double, line: Int
  ) throws(ChatTemplateError) -> Double {
    switch operation {
    case .add: return left + right
    case .subtract: return left - right
    case .multiply: return left * right
    case .divide, .floorDivide, .modulo:
      guard right != 0 else { throw .failed(line: line, problem: "a number is divided by zero") }
      if operation == .divide { return left / right }
      var remainder = left.truncatingRemainder(dividingBy: right)
      if operation == .floorDivide {
        return ((left - remainder) / right - (remainder != 0 && (remainder < 0) != (right < 0) ? 1 : 0)).rounded()
      }
      if remainder != 0, (remainder < 0) != (right < 0) { remainder += right }
      return remainder == 0 ? (right < 0 ? -0.0 : 0.0) : remainder
    }
  }

  // MARK: Comparison

  mutating func holds(
    _ relation: Relation, _ left: Value, _ right: Value, line: Int
  ) throws(ChatTemplateError) -> Bool {
    switch relation {
    case .equal: return try areEqual(left, right, line: line)
    case .notEqual: return try !areEqual(left, right, line: line)
    case .within: return try contains(right, left, line: line)
    case .notWithin: return try !contains(right, left, line: line)
    case .less: return try precedes(left, right, orEqual: false, line: line)
    case .lessOrEqual: return try precedes(left, right, orEqual: true, line: line)
    case .greater: return try precedes(right, left, orEqual: false, line: line)
    case .greaterOrEqual: return try precedes(right, left, orEqual: true, line: line)
    }
  }

  /// Lists are compared item by item, and each is paid for: one list may hold another many times over.
  mutating func areEqual(_ left: Value, _ right: Value, line: Int) throws(ChatTemplateError) -> Bool {
    try budget.spend(1, line: line)
    switch (left, right) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.string(let left), .string(let right)):
      try budget.spend(bytes: min(left.utf8.count, right.utf8.count), line: line)
      return left.isSame(as: right)
    case (.sequence(let left), .sequence(let right)):
      guard left.kind == right.kind, left.items.count == right.items.count else { return false }
      for (first, second) in zip(left.items, right.items) {
        guard try areEqual(first, second, line: line) else { return false }
      }
      return true
    case (.dictionary(let left), .dictionary(let right)):
      guard left.keys.count == right.keys.count else { return false }
      for (name, value) in zip(left.keys, left.values) {
        guard let other = right[try key(name, line: line)], try areEqual(value, other, line: line) else { return false }
      }
      return true
    case (.namespace(let left), .namespace(let right)), (.macro(let left), .macro(let right)): return left == right
    case (.function(let left), .function(let right)): return left == right
    default:
      guard left.isNumeric, right.isNumeric else { return false }
      if let left = left.wholeNumber, let right = right.wholeNumber { return left == right }
      return left.realNumber == right.realNumber
    }
  }

  private mutating func precedes(
    _ left: Value, _ right: Value, orEqual: Bool, line: Int
  ) throws(ChatTemplateError) -> Bool {
    if case .string(let left) = left, case .string(let right) = right {
      try budget.spend(bytes: min(left.utf8.count, right.utf8.count), line: line)
      return left.isSame(as: right) ? orEqual : left.utf8.lexicographicallyPrecedes(right.utf8)
    }
    if case .sequence = left, case .sequence = right {
      throw .unsupported(line: line, feature: "lists compared by '<'")
    }
    let (left, right) = (try numeric(left, "<", line: line), try numeric(right, "<", line: line))
    if let left = left.wholeNumber, let right = right.wholeNumber { return orEqual ? left <= right : left < right }
    return orEqual ? left.realNumber <= right.realNumber : left.realNumber < right.realNumber
  }

  mutating func contains(_ container: Value, _ value: Value, line: Int) throws(ChatTemplateError) -> Bool {
    switch container {
    case .string(let text):
      guard case .string(let part) = value else {
        throw .failed(line: line, problem: "\(value.summary) is looked for in a string")
      }
      try budget.spend(bytes: text.utf8.count, line: line)
      if part.isEmpty { return true }
      return try !places(of: part, in: text, limit: 1, line: line).isEmpty
    case .dictionary(let mapping): return mapping[try key(value, line: line)] != nil
    default:
      for item in try items(of: container, line: line) where try areEqual(item, value, line: line) { return true }
      return false
    }
  }
}

extension Value {
  var isNumeric: Bool {
    switch self {
    case .boolean, .integer, .number: true
    default: false
    }
  }

  /// Of booleans and integers.
  var wholeNumber: Int? {
    switch self {
    case .boolean(let value): value ? 1 : 0
    case .integer(let value): value
    default: nil
    }
  }

  /// Of numbers; NaN for anything else.
  var realNumber: Double {
    if case .number(let value) = self { return value }
    return wholeNumber.map(Double.init) ?? .nan
  }
}
