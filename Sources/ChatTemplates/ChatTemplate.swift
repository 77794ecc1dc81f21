import Foundation

/// A model's chat template: turns a conversation into the text of a prompt, as the `apply_chat_template`
/// of Hugging Face `transformers` does.
///
///     let template = try ChatTemplate(source)
///     let prompt = try template.prompt(
///       for: [ChatMessage(role: .user, content: "Hi")], beginOfText: "<s>", endOfText: "</s>")
///     tokenizer.encode(prompt)  // the prompt spells its special tokens out
///
/// Templates are written in Jinja (<https://jinja.palletsprojects.com/en/stable/templates/>), a language
/// with Python's values. This is an interpreter of the part of it that chat templates use; what it
/// renders is equal to Jinja's byte for byte, and what it can't render it refuses by name and line:
/// other statements when the template is read, other filters, tests and methods when they are reached,
/// so that a template may have them where the conversation doesn't lead.
///
/// A template comes with a model, perhaps from a stranger. It sees nothing but its arguments, and its
/// steps, depth and text are limited, so that none can hang the program or fill its memory.
public struct ChatTemplate: Sendable {
  private let statements: [Statement]

  /// - Throws: `ChatTemplateError` where the source is not Jinja, or needs a statement that is not here.
  ///
  /// Complexity: O(length of the source).
  public init(_ source: String) throws(ChatTemplateError) {
    statements = try Parser.statements(of: source)
  }

  /// The text to give to the model for a conversation, special tokens spelt out: encode it parsing special tokens and
  /// without adding any.
  ///
  /// - Parameters:
  ///   - beginOfText: the text of the token that begins a text, nil where the model has none.
  ///   - endOfText: the same of the token that ends one.
  ///   - addGenerationPrompt: ends the prompt where the assistant's answer begins.
  ///   - clock: what templates that state the date go by.
  /// - Throws: `ChatTemplateError`, `refused` where the template itself finds the conversation wrong.
  ///
  /// Complexity: O(what the template computes), and no more than ten million steps.
  public func prompt(
    for messages: [ChatMessage], beginOfText: String? = nil, endOfText: String? = nil,
    addGenerationPrompt: Bool = true, clock: TemplateClock = TemplateClock(Date())
  ) throws(ChatTemplateError) -> String {
    let list = List(
      messages.map { message in
        .dictionary(Mapping(named: [("role", .string(message.role.rawValue)), ("content", .string(message.content))]))
      }, .list)
    var variables: [String: Value] = [
      "messages": .sequence(list), "add_generation_prompt": .boolean(addGenerationPrompt),
      // transformers passes them always, so templates ask whether they are none.
      "tools": .none, "documents": .none,
    ]
    variables["bos_token"] = beginOfText.map(Value.string)
    variables["eos_token"] = endOfText.map(Value.string)
    return try render(variables, clock: clock)
  }

  func render(
    _ variables: [String: Value], clock: TemplateClock, budget: Budget = Budget()
  ) throws(ChatTemplateError) -> String {
    var evaluator = Evaluator(variables: variables, clock: clock, budget: budget)
    _ = try evaluator.run(statements)
    return evaluator.output
  }
}
