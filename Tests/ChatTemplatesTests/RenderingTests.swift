import Testing

@testable import ChatTemplates

@Suite struct RenderingTests {
  @Test func `templates give the text that jinja2 gives, byte for byte`() throws {
    let fixtures = try Fixtures.read()
    #expect(fixtures.templates.count > 300)
    for rendering in fixtures.templates {
      let source = try Fixtures.template(rendering.template)
      let text = try attempt {
        try ChatTemplate(source).render(fixtures.variables(rendering.context), clock: Fixtures.clock)
      }
      #expect(
        text.map { Array($0.utf8) } == rendering.text.map { Array($0.utf8) },
        "\(rendering.template) with \(rendering.context): \(text ?? "an error")")
    }
  }

  @Test func `snippets give the text that jinja2 gives, byte for byte`() throws {
    let fixtures = try Fixtures.read()
    let variables = try fixtures.variables("tools")
    #expect(fixtures.snippets.count > 400)
    for snippet in fixtures.snippets {
      let text = try attempt {
        try ChatTemplate(snippet.source).render(variables, clock: Fixtures.clock)
      }
      #expect(
        text.map { Array($0.utf8) } == snippet.text.map { Array($0.utf8) }, "\(snippet.source): \(text ?? "an error")")
    }
  }

  /// Nil where the template fails; what Gambit doesn't support is no such failure.
  private func attempt(_ render: () throws -> String) throws -> String? {
    do {
      return try render()
    } catch let error as ChatTemplateError {
      if case .unsupported = error { Issue.record(error) }
      return nil
    }
  }
}
