/// What rendering may still spend. A template comes with a downloaded model: `x ~ x` in a loop doubles
/// a text each time, and nothing in Jinja forbids it.
struct Budget {
  /// Bytes of a template's source.
  static let sourceLimit = 1 << 20
  /// How deep a template may nest, its blocks and its expressions.
  static let nestingLimit = 96
  /// How deep evaluation may go, macros that call themselves included.
  static let depthLimit = 256
  /// Bytes of the text that comes out.
  static let outputLimit = 16 << 20
  /// The items of a `range`, as in Jinja's sandbox.
  static let rangeLimit = 100_000

  /// One step is an expression's or statement's evaluation, or eight bytes of text made or looked at:
  /// the ten million that a template has from the start take a second or two.
  private let steps: Int
  private var remaining: Int

  init(steps: Int = 10_000_000) {
    self.steps = steps
    remaining = steps
  }

  /// - Throws: `ChatTemplateError.limit`.
  mutating func spend(_ units: Int, line: Int) throws(ChatTemplateError) {
    guard units <= remaining else { throw .limit(line: line, what: "\(steps) steps") }
    remaining -= units
  }

  /// Pays for a text before it is made.
  mutating func spend(bytes: Int, line: Int) throws(ChatTemplateError) {
    try spend(bytes / 8 + 1, line: line)
  }

  /// Pays for a text that is gone through scalar by scalar.
  mutating func spend(work text: String, line: Int) throws(ChatTemplateError) {
    try spend(text.utf8.count / 2 + 1, line: line)
  }

  /// Pays for places in a list before they are filled.
  mutating func spend(items: Int, line: Int) throws(ChatTemplateError) {
    let (units, overflow) = items.multipliedReportingOverflow(by: 4)
    try spend(overflow ? Int.max : units + 1, line: line)
  }
}
