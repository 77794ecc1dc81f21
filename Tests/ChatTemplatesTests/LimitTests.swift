import Testing

@testable import ChatTemplates

/// Templates that would hang a renderer or fill its memory.
@Suite struct LimitTests {
  private static let doubling = "{% set ns = namespace(x='x') %}{% for i in range(99999) %}"
  private static func nested(_ before: String, _ after: String) -> String {
    "{{ " + String(repeating: before, count: 50_000) + "1" + String(repeating: after, count: 50_000) + " }}"
  }
  private static let nesting = "{% set ns = namespace(x=1) %}{% for i in range(99999) %}"

  private static let sources = [
    // Time
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}",
    "{% for i in range(100000) if i in range(100000) %}{% endfor %}",
    // Memory
    doubling + "{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    doubling + "{% set ns.x = ns.x + ns.x %}{% endfor %}",
    doubling + "{% set ns.x = ns.x | replace('x', 'xx') %}{% endfor %}",
    doubling + "{% set ns.x = [ns.x, ns.x] | join(ns.x) %}{% endfor %}",
    doubling + "{% set ns.x = ns.x | indent(1000) | upper %}{% endfor %}",
    doubling + "{% set ns.x = ns.x | list + ns.x | list %}{% endfor %}",
    "{{ 'x' * 9223372036854775807 }}", "{{ 'xx' * 9223372036854775807 }}", "{{ 9000000000 * 'x' }}",
    "{{ 'x' | indent(9223372036854775807) }}", "{{ [1] | tojson(indent=9223372036854775807) }}",
    "{{ range(9223372036854775807) }}", "{{ ('x' * 9000000).replace('', 'x' * 9000000) }}",
    "{% for a in range(99999) %}{{ 'x' * 9000 }}{% endfor %}",
    "{% for a in range(99) %}{% for b in range(99999) %}{% macro m() %}{% endmacro %}{% endfor %}{% endfor %}",
    "{% for a in range(99) %}{% for b in range(99999) %}{% set n = namespace() %}{% endfor %}{% endfor %}",
    doubling + "{% set ns.x = ns.x + ns.x %}{% if ns.x|length > 9999999 %}{% break %}{% endif %}{% endfor %}"
      + "{% for i in range(99999) %}{% set y = ns.x|trim('x') %}{% endfor %}",
    "{% set x = 'x' * 6000000 %}{% for i in range(99999) %}{% set y = x|length %}{% endfor %}",
    "{% set x = range(99999)|list %}{% for i in range(99999) %}{% set y = x|select('string')|list %}{% endfor %}",
    "{% set x = range(99999)|list %}{% for i in range(99999) %}{% set y = x|map('string') %}{% endfor %}",
    "{% set x = '%' * 600000 %}{% for i in range(99999) %}{% set y = strftime_now(x) %}{% endfor %}",
    "{{ 'x'|map('map'" + String(repeating: ", 'map'", count: 50_000) + ")|list }}",
    // Values that hold themselves many times over, or deeply
    nesting + "{% set ns.x = [ns.x, ns.x] %}{% endfor %}", nesting + "{% set ns.x = (ns.x,) %}{% endfor %}",
    nesting + "{% set ns.x = {'a': ns.x} %}{% endfor %}", nesting + "{% set ns.x = {'a': ns.x}.items() %}{% endfor %}",
    "{% set ns = namespace(x=1) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=1) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x|tojson }}",
    "{% set ns = namespace(x=1, y=1) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}"
      + "{% endfor %}{{ ns.x == ns.y }}",
    // Depth
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "{% macro f(g) %}{{ g(g) }}{% endmacro %}{{ f(f) }}",
    nested("(", ")"), nested("[", "]"), nested("{1:", "}"), nested("not ", ""), nested("-", ""), nested("", " + 1"),
    nested("", " ~ 1 + 1"), nested("", " and 1"), nested("", ".x"), nested("", "|trim"), nested("", "[0]"),
    nested("", "()"),
    nested("", " if 1"), nested("", " if 1 else 1"), nested("1 if 1 else ", ""),
    String(repeating: "{% if 1 %}", count: 100_000), String(repeating: "{% for x in y %}", count: 100_000),
    "{% set " + String(repeating: "(", count: 10_000) + "x" + String(repeating: ")", count: 10_000) + " = 1 %}",
    String(repeating: "a", count: 1 << 20) + "b",
  ]

  /// One test, since these sources are too long to be printed as arguments.
  @Test func `a template that needs too much is stopped`() throws {
    for source in Self.sources {
      do {
        _ = try ChatTemplate(source).render([:], clock: Fixtures.clock, budget: Budget(steps: 1_000_000))
        Issue.record("not stopped: \(source.prefix(200))")
      } catch {
        guard case .limit = error else {
          Issue.record("\(source.prefix(200)): \(error)")
          continue
        }
      }
    }
  }

  @Test func `slow searches are paid for`() throws {
    let source =
      "{% set a = 'a' * 2000000 %}{% for i in range(99) %}{{ (a + 'b') in a }}{{ ('a' * 900000 + 'b') in a }}{% endfor %}"
    #expect(throws: ChatTemplateError.limit(line: 1, what: "10000000 steps")) {
      try ChatTemplate(source).render([:], clock: Fixtures.clock)
    }
  }

  @Test func `a namespace may hold itself`() throws {
    let source = "{% set ns = namespace() %}{% set ns.me = ns %}{{ ns.me.me.me is defined }}{{ ns.me == ns }}"
    #expect(try ChatTemplate(source).render([:], clock: Fixtures.clock) == "TrueTrue")
  }

  @Test func `damaged templates don't crash`() throws {
    for name in ["qwen3.jinja", "llama31.jinja", "macros.jinja"] {
      let scalars = Array(try Fixtures.template(name).unicodeScalars)
      var variables = try Fixtures.read().variables("tools")
      variables["tools_in_user_message"] = .boolean(false)
      for place in stride(from: 0, to: scalars.count, by: 17) {
        let damages = [scalars[..<place], scalars[place...], scalars[..<place] + scalars[(place + 1)...]]
        for damaged in damages {
          var view = String.UnicodeScalarView()
          view.append(contentsOf: damaged)
          _ = try? ChatTemplate(String(view)).render(variables, clock: Fixtures.clock)
        }
      }
    }
  }
}
