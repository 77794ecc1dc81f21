/// What an expression is worth, with Python's types and behaviour.
enum Value {
  /// Absent, with the name that was looked for: prints as nothing, is false and empty, and fails on any
  /// other use.
  case undefined(String)
  case none
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case sequence(List)
  case dictionary(Mapping)
  /// Place in `Evaluator.namespaces`: no value owns one, so that none can own itself.
  case namespace(Int)
  case loop(LoopState)
  case function(Function)
  /// Place in `Evaluator.closures`, for the same reason.
  case macro(Int)
  indirect case method(Value, String)
}

/// Several values in a row.
final class List {
  /// Python's types, which differ in how they print, whether they are true when empty, and what they allow.
  enum Kind {
    case list, tuple, range, keys, values, items, generator
  }

  let items: [Value]
  let kind: Kind
  let depth: Int

  /// Complexity: O(items).
  init(_ items: [Value], _ kind: Kind) {
    self.items = items
    self.kind = kind
    depth = 1 + (items.lazy.map(\.depth).max() ?? 0)
  }
}

/// A dictionary, which keeps the order of its first insertions.
final class Mapping {
  let keys: [Value]
  let values: [Value]
  let depth: Int
  private let places: [Key: Int]

  /// Of equal keys the last value stands. Complexity: O(pairs).
  init(_ pairs: [(key: Key, name: Value, value: Value)]) {
    var (keys, values, places): ([Value], [Value], [Key: Int]) = ([], [], [:])
    for pair in pairs {
      if let place = places[pair.key] {
        values[place] = pair.value
      } else {
        places[pair.key] = keys.count
        keys.append(pair.name)
        values.append(pair.value)
      }
    }
    (self.keys, self.values, self.places) = (keys, values, places)
    depth = 1 + (values.lazy.map(\.depth).max() ?? 0)
  }

  convenience init(named members: [(String, Value)]) {
    self.init(members.map { (Key($0.0), .string($0.0), $0.1) })
  }

  /// Complexity: O(length of the key).
  subscript(key: Key) -> Value? { places[key].map { values[$0] } }
}

/// A dictionary's key: equal where Python finds it equal, so `1`, `1.0` and `True` are one.
enum Key: Hashable {
  case none
  case integer(Int)
  case number(Double)
  /// As bytes: Swift's strings are equal where their scalars are not.
  case text([UInt8])

  init(_ text: String) { self = .text(Array(text.utf8)) }

  /// Nil for what can't be a key.
  init?(_ value: Value) {
    switch value {
    case .none: self = .none
    case .boolean(let value): self = .integer(value ? 1 : 0)
    case .integer(let value): self = .integer(value)
    case .number(let value): self = Int(exactly: value).map(Key.integer) ?? .number(value)
    case .string(let text): self.init(text)
    default: return nil
    }
  }
}

/// Where a loop stands.
final class LoopState {
  let items: [Value]
  let depth: Int
  /// Loops around it within the same macro or template, itself not included.
  var index = 0

  init(_ items: List) {
    self.items = items.items
    depth = items.depth + 1
  }
}

/// What templates can call by name from the start.
enum Function: String, CaseIterable {
  case raiseException = "raise_exception"
  case currentTime = "strftime_now"
  case range, dict, namespace
}

extension Value {
  /// How deep lists and dictionaries stand in each other; a limit on it keeps recursion over values short.
  var depth: Int {
    switch self {
    case .sequence(let sequence): sequence.depth
    case .dictionary(let mapping): mapping.depth
    case .loop(let state): state.depth
    case .method(let receiver, _): receiver.depth + 1
    default: 0
    }
  }

  /// Python's `bool`.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .boolean(let value): value
    case .integer(let value): value != 0
    case .number(let value): value != 0
    case .string(let text): !text.isEmpty
    case .sequence(let sequence): sequence.kind == .generator || !sequence.items.isEmpty
    case .dictionary(let mapping): !mapping.keys.isEmpty
    case .loop(let state): !state.items.isEmpty
    case .namespace, .function, .macro, .method: true
    }
  }

  /// As error messages name it.
  var summary: String {
    switch self {
    case .undefined(let name): "'\(name)', which is undefined"
    case .none: "none"
    case .boolean: "a boolean"
    case .integer, .number: "a number"
    case .string: "a string"
    case .sequence(let sequence): sequence.kind == .tuple ? "a tuple" : "a list"
    case .dictionary: "a dictionary"
    case .namespace: "a namespace"
    case .loop: "'loop'"
    case .function(let function): "the function '\(function.rawValue)'"
    case .macro: "a macro"
    case .method(_, let name): "the method '\(name)'"
    }
  }
}
