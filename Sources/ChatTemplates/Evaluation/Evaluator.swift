/// Runs a template's statements: one evaluator, one prompt.
struct Evaluator {
  var budget: Budget
  var output = ""
  var scope: Scope
  /// Attributes of each `namespace`, by its place.
  var namespaces: [[String: Value]] = []
  /// Macros with the scope that they were defined in, by place.
  var closures: [(macro: Statement.Macro, scope: Scope)] = []
  let clock: TemplateClock
  private var depth = 0

  init(variables: [String: Value], clock: TemplateClock, budget: Budget) {
    self.budget = budget
    scope = Scope(variables)
    self.clock = clock
  }

  /// What a statement does to the loop around it.
  enum Flow {
    case onward, nextRound, leaveLoop
  }

  mutating func run(_ statements: [Statement]) throws(ChatTemplateError) -> Flow {
    for statement in statements {
      let flow = try run(statement)
      if flow != .onward { return flow }
    }
    return .onward
  }

  private mutating func run(_ statement: Statement) throws(ChatTemplateError) -> Flow {
    switch statement {
    case .text(let text, let line): try write(text, line: line)
    case .output(let expression):
      try write(text(of: evaluate(expression), line: expression.line), line: expression.line)
    case .conditional(let branches, let otherwise):
      for branch in branches where try evaluate(branch.test).isTrue {
        return try deeper(line: branch.test.line) { evaluator throws(ChatTemplateError) in
          try evaluator.run(branch.body)
        }
      }
      return try run(otherwise)
    case .loop(let loop):
      return try deeper(line: loop.items.line) { evaluator throws(ChatTemplateError) in try evaluator.run(loop) }
    case .set(let target, let expression): try assign(evaluate(expression), to: target, line: expression.line)
    case .capture(let target, let filtered, let body): try capture(body, filtered, to: target)
    case .macro(let macro):
      scope.variables[macro.name] = .macro(closures.count)
      closures.append((macro, scope))
      try budget.spend(16, line: macro.line)
    case .generation(let body):
      return try scoped { evaluator throws(ChatTemplateError) in try evaluator.run(body) }
    case .leaveLoop: return .leaveLoop
    case .nextRound: return .nextRound
    }
    return .onward
  }

  // MARK: Loops

  private mutating func run(_ loop: Statement.Loop) throws(ChatTemplateError) -> Flow {
    let line = loop.items.line
    var items = try items(of: evaluate(loop.items), line: line)
    if let filter = loop.filter {
      var kept: [Value] = []
      for item in items {
        let isKept = try scoped { evaluator throws(ChatTemplateError) in
          try evaluator.assign(item, to: loop.target, line: line)
          return try evaluator.evaluate(filter).isTrue
        }
        if isKept { kept.append(item) }
      }
      items = kept
    }
    guard !items.isEmpty else {
      return try scoped { evaluator throws(ChatTemplateError) in try evaluator.run(loop.otherwise) }
    }
    let state = LoopState(try list(items, line: line))
    for (index, item) in items.enumerated() {
      state.index = index
      try budget.spend(8, line: line)
      let flow = try scoped { evaluator throws(ChatTemplateError) in
        evaluator.scope.variables["loop"] = .loop(state)
        try evaluator.assign(item, to: loop.target, line: line)
        return try evaluator.run(loop.body)
      }
      if flow == .leaveLoop { break }
    }
    return .onward
  }

  // MARK: Scopes and captured text

  mutating func scoped<Result>(
    within parent: Scope? = nil, _ body: (inout Evaluator) throws(ChatTemplateError) -> Result
  ) throws(ChatTemplateError) -> Result {
    let outer = scope
    scope = Scope(within: parent ?? outer)
    defer { scope = outer }
    return try body(&self)
  }

  /// The text that `body` writes.
  mutating func captured(
    _ body: (inout Evaluator) throws(ChatTemplateError) -> Void
  ) throws(ChatTemplateError) -> String {
    let outer = output
    output = ""
    try body(&self)
    let text = output
    output = outer
    return text
  }

  private mutating func capture(
    _ body: [Statement], _ filtered: Expression, to target: Target
  ) throws(ChatTemplateError) {
    let value = try scoped { evaluator throws(ChatTemplateError) in
      let text = try evaluator.captured { evaluator throws(ChatTemplateError) in _ = try evaluator.run(body) }
      evaluator.scope.variables[Target.captured] = .string(text)
      return try evaluator.evaluate(filtered)
    }
    try assign(value, to: target, line: filtered.line)
  }

  mutating func write(_ text: String, line: Int) throws(ChatTemplateError) {
    try budget.spend(bytes: text.utf8.count, line: line)
    guard output.utf8.count + text.utf8.count <= Budget.outputLimit else {
      throw .limit(line: line, what: "\(Budget.outputLimit >> 20) MiB of text")
    }
    output += text
  }

  /// Goes one level deeper while `body` runs.
  mutating func deeper<Result>(
    line: Int, _ body: (inout Evaluator) throws(ChatTemplateError) -> Result
  ) throws(ChatTemplateError) -> Result {
    try budget.spend(1, line: line)
    guard depth < Budget.depthLimit else { throw .limit(line: line, what: "\(Budget.depthLimit) levels") }
    depth += 1
    defer { depth -= 1 }
    return try body(&self)
  }

  // MARK: Assignment

  mutating func assign(_ value: Value, to target: Target, line: Int) throws(ChatTemplateError) {
    switch target {
    case .name(let name): scope.variables[name] = value
    case .attribute(let name, let attribute, let line):
      guard case .namespace(let place)? = scope.value(of: name) else {
        throw .failed(line: line, problem: "'\(name)' is not a namespace, whose attributes alone can be set")
      }
      guard !attribute.hasPrefix("_") else {
        throw .failed(line: line, problem: "'\(attribute)' can't be the name of a namespace's attribute")
      }
      try budget.spend(8, line: line)
      namespaces[place][attribute] = value
    case .tuple(let targets, let line):
      let items = try items(of: value, line: line)
      guard items.count == targets.count else {
        throw .failed(line: line, problem: "\(items.count) values can't be unpacked into \(targets.count) names")
      }
      for (item, target) in zip(items, targets) { try assign(item, to: target, line: line) }
    }
  }
}
