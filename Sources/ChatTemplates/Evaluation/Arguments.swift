/// What a function, method, filter or test is called with.
struct Arguments {
  var positional: [Value]
  var named: [(name: String, value: Value)]
  var line: Int

  /// The arguments by the names of the parameters, in their order; nil where one is missing.
  ///
  /// - Throws: `ChatTemplateError.failed` where there are too many, or one by an unknown name.
  func bound(
    to parameters: String..., required: Int = 0, of callee: Callee
  ) throws(ChatTemplateError) -> [Value?] {
    try bound(to: parameters, required: required, of: callee)
  }

  func bound(
    to parameters: [String], required: Int = 0, of callee: Callee
  ) throws(ChatTemplateError) -> [Value?] {
    guard positional.count <= parameters.count else {
      throw .failed(line: line, problem: "\(callee) takes \(parameters.count) arguments, not \(positional.count)")
    }
    var bound: [Value?] = positional
    bound += [Value?](repeating: nil, count: parameters.count - positional.count)
    for (name, value) in named {
      guard let place = parameters.firstIndex(of: name), bound[place] == nil else {
        throw .failed(line: line, problem: "\(callee) takes no further argument '\(name)'")
      }
      bound[place] = value
    }
    guard let missing = bound.prefix(required).firstIndex(where: { $0 == nil }) else { return bound }
    throw .failed(line: line, problem: "\(callee) needs the argument '\(parameters[missing])'")
  }
}

/// What is called, as errors name it.
struct Callee: CustomStringConvertible {
  var kind: String
  var name: String

  var description: String { "the \(kind) '\(name)'" }
}
