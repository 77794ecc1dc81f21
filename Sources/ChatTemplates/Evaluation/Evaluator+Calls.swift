extension Evaluator {
  mutating func call(_ callee: Value, _ arguments: Arguments) throws(ChatTemplateError) -> Value {
    switch callee {
    case .function(let function): return try call(function, arguments)
    case .macro(let place): return .string(try call(closures[place].macro, closures[place].scope, arguments))
    case .method(let receiver, let name):
      guard let method = Method(rawValue: name) else { break }
      return try call(method, of: receiver, arguments)
    case .undefined(let name):
      throw .failed(line: arguments.line, problem: "'\(name)' is undefined and can't be called")
    default: break
    }
    throw .failed(line: arguments.line, problem: "\(callee.summary) can't be called")
  }

  /// The text that a macro writes, in a scope within the one that it was defined in.
  private mutating func call(
    _ macro: Statement.Macro, _ definition: Scope, _ arguments: Arguments
  ) throws(ChatTemplateError) -> String {
    let bound = try arguments.bound(to: macro.parameters.map(\.name), of: Callee(kind: "macro", name: macro.name))
    return try deeper(line: arguments.line) { evaluator throws(ChatTemplateError) in
      try evaluator.scoped(within: definition) { evaluator throws(ChatTemplateError) in
        for (parameter, value) in zip(macro.parameters, bound) {
          var value = value
          if value == nil, let initial = parameter.initial { value = try evaluator.evaluate(initial) }
          evaluator.scope.variables[parameter.name] = value ?? .undefined(parameter.name)
        }
        return try evaluator.captured { evaluator throws(ChatTemplateError) in _ = try evaluator.run(macro.body) }
      }
    }
  }

  private mutating func call(_ function: Function, _ arguments: Arguments) throws(ChatTemplateError) -> Value {
    let line = arguments.line
    let callee = Callee(kind: "function", name: function.rawValue)
    switch function {
    case .raiseException:
      let message = try arguments.bound(to: "message", required: 1, of: callee)[0] ?? .none
      throw .refused(message: try text(of: message, line: line))
    case .currentTime:
      let format = try arguments.bound(to: "format", required: 1, of: callee)[0] ?? .none
      guard case .string(let format) = format else {
        throw .failed(line: line, problem: "\(callee) takes a string, not \(format.summary)")
      }
      try budget.spend(format.utf8.count, line: line)
      guard let text = clock.text(format) else {
        throw .unsupported(line: line, feature: "the time format \(format.prefix(64).debugDescription)")
      }
      try budget.spend(bytes: text.utf8.count, line: line)
      return .string(text)
    case .range: return try range(arguments, callee)
    case .dict: return .dictionary(try checked(Mapping(members(arguments, callee)), line: line))
    case .namespace:
      var attributes: [String: Value] = [:]
      for member in try members(arguments, callee) {
        guard case .string(let name) = member.name, !name.hasPrefix("_") else {
          throw .failed(line: line, problem: "a namespace can't have such an attribute: \(member.name.summary)")
        }
        attributes[name] = member.value
      }
      try budget.spend(items: attributes.count + 4, line: line)
      namespaces.append(attributes)
      return .namespace(namespaces.count - 1)
    }
  }

  /// Of `dict` and `namespace`: a dictionary, or none, and what is given by name.
  private mutating func members(
    _ arguments: Arguments, _ callee: Callee
  ) throws(ChatTemplateError) -> [(key: Key, name: Value, value: Value)] {
    var members: [(key: Key, name: Value, value: Value)] = []
    guard arguments.positional.count <= 1 else {
      throw .failed(line: arguments.line, problem: "\(callee) takes one argument without a name")
    }
    if let first = arguments.positional.first {
      guard case .dictionary(let mapping) = first else {
        throw .unsupported(line: arguments.line, feature: "\(callee) of \(first.summary)")
      }
      for (name, value) in zip(mapping.keys, mapping.values) {
        members.append((try key(name, line: arguments.line), name, value))
      }
    }
    return members + arguments.named.map { (Key($0.name), .string($0.name), $0.value) }
  }

  private mutating func range(_ arguments: Arguments, _ callee: Callee) throws(ChatTemplateError) -> Value {
    var bounds: [Int] = []
    for value in arguments.positional {
      guard let bound = value.wholeNumber else {
        throw .failed(line: arguments.line, problem: "\(callee) takes whole numbers, not \(value.summary)")
      }
      bounds.append(bound)
    }
    guard (1...3).contains(bounds.count), arguments.named.isEmpty, bounds.count < 3 || bounds[2] != 0 else {
      throw .failed(line: arguments.line, problem: "\(callee) takes a stop, or start, stop and a step other than 0")
    }
    let (start, stop) = bounds.count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1])
    var items: [Value] = []
    for value in stride(from: start, to: stop, by: bounds.count == 3 ? bounds[2] : 1) {
      guard items.count < Budget.rangeLimit else {
        throw .limit(line: arguments.line, what: "\(Budget.rangeLimit) numbers in a range")
      }
      items.append(.integer(value))
    }
    return .sequence(try list(items, .range, line: arguments.line))
  }
}
