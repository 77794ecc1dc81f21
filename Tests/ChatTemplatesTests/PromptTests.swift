import Foundation
import Testing

@testable import ChatTemplates

@Suite struct PromptTests {
  @Test func `a conversation becomes the prompt that jinja2 gives`() throws {
    let fixtures = try Fixtures.read()
    let template = try ChatTemplate(Fixtures.template("smollm2.jinja"))
    let messages = [
      ChatMessage(role: .system, content: "  You answer in rhymes.\n"),
      ChatMessage(role: .user, content: "Hello <there> & \"you\"!\n"),
    ]
    let expected = try #require(
      fixtures.templates.first { $0.template == "smollm2.jinja" && $0.context == "system" }?.text)
    #expect(try template.prompt(for: messages) == expected)
    #expect(try template.prompt(for: messages, addGenerationPrompt: false) + "<|im_start|>assistant\n" == expected)
  }

  @Test func `the texts of special tokens are what they are, or undefined`() throws {
    let template = try ChatTemplate("{{ bos_token }}{{ eos_token is defined }}{{ tools is none }}")
    #expect(try template.prompt(for: [], beginOfText: "<s>") == "<s>FalseTrue")
    #expect(try template.prompt(for: [], endOfText: "</s>") == "TrueTrue")
  }

  @Test func `the date is the clock's`() throws {
    let template = try ChatTemplate("{{ strftime_now('%Y-%m-%d %H') }}")
    let date = Date(timeIntervalSince1970: 951_868_799)  // 2000-02-29 23:59:59 UTC
    #expect(try template.prompt(for: [], clock: TemplateClock(date, in: .gmt)) == "2000-02-29 23")
    let east = try #require(TimeZone(secondsFromGMT: 3600))
    #expect(try template.prompt(for: [], clock: TemplateClock(date, in: east)) == "2000-03-01 00")
  }
}
