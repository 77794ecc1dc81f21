import Foundation
import Testing

@testable import ChatTemplates

@Suite struct RefusalTests {
  @Test(arguments: [
    ("a\n{% include 'x' %}", 2, "'{% include %}'"),
    ("{% raw %}{% endraw %}", 1, "'{% raw %}'"),
    ("{% for x in [] recursive %}{% endfor %}", 1, "a recursive loop"),
    ("{{ 2 ** 3 }}", 1, "the operator '**'"),
    ("{{ f(*x) }}", 1, "arguments out of a list ('*')"),
    ("\n\n{{ messages|sort }}", 3, "the filter 'sort'"),
    ("{{ 1 is divisibleby 2 }}", 1, "the test 'divisibleby'"),
    ("{{ [].append(1) }}", 1, "the method 'append' of a list"),
    ("{{ 'a'.format() }}", 1, "the method 'format' of a string"),
    ("{{ {}.update({}) }}", 1, "the method 'update' of a dictionary"),
    ("{{ '%s' % 1 }}", 1, "text formatted with '%'"),
    ("{{ cycler('a') }}", 1, "'cycler'"),
    ("{{ 9223372036854775807 + 1 }}", 1, "a whole number beyond 64 bits"),
    ("{{ 99999999999999999999 }}", 1, "the number 99999999999999999999"),
    ("{{ strftime_now('%c') }}", 1, "the time format \"%c\""),
    ("{{ namespace() }}", 1, "a namespace as text"),
  ])
  func `what isn't supported is named with its line`(source: String, line: Int, feature: String) {
    #expect(throws: ChatTemplateError.unsupported(line: line, feature: feature)) { try render(source) }
  }

  @Test func `what isn't reached isn't missed`() throws {
    #expect(try render("{% if tools %}{{ tools|sort }}{% endif %}fine") == "fine")
  }

  @Test func `a template's own refusal is told in its words`() {
    let error = ChatTemplateError.refused(message: "Roles must alternate!")
    #expect(throws: error) { try render("{{ raise_exception('Roles must alternate!') }}") }
    #expect(error.description == "The model's chat template refuses this conversation: Roles must alternate!")
  }

  @Test(arguments: [
    ("\n{{ x.y }}", "The model's chat template fails at line 2: 'x' is undefined and has no 'y'."),
    ("{{ x() }}", "The model's chat template fails at line 1: 'x' is undefined and can't be called."),
    ("{% if %}", "The model's chat template can't be read at line 1: an expression is expected, not '%}'."),
    ("{{ (1", "The model's chat template can't be read at line 1: '{{' has no end."),
    ("{{ 1|sort }}", "The model's chat template uses the filter 'sort' at line 1, which Gambit doesn't support."),
    (
      "{% if 1 %}a",
      "The model's chat template can't be read at line 1: '{% endif %}' is expected, not the end of the template."
    ),
  ])
  func `errors are one sentence`(source: String, sentence: String) throws {
    let error = #expect(throws: ChatTemplateError.self) { try render(source) }
    #expect(try #require(error).description == sentence)
  }

  private func render(_ source: String) throws -> String {
    try ChatTemplate(source).render([:], clock: Fixtures.clock)
  }
}
