import Tokenizers
import Transformer

/// A question as the forward pass takes it: what its choices begin with in common once, then what each goes on with.
///
/// Tokens are lm-evaluation-harness's: a context and its continuation are encoded as one text, of which as many tokens
/// as the context alone has are the context's; whitespace at the end of a context goes to the continuation first.
struct EncodedQuestion: Sendable {
  /// A token of a continuation, and the row of the hidden states that predicts it.
  struct Target: Sendable, Equatable {
    var row: Int
    var token: Int32
  }

  let tokens: [Int32]
  let layout: SequenceLayout
  /// Of each choice, one a token of its continuation.
  let targets: [[Target]]
  /// The longest choice's tokens.
  let longest: Int

  /// - Throws: Where the tokenizer has no token for a continuation, ``TaskError/malformed(path:line:reason:)``.
  init(_ question: Question, _ tokenizer: Tokenizer, path: String) throws(TaskError) {
    var texts: [(tokens: [Int32], context: Int)] = []
    for choice in question.choices {
      let text = Self.tokens(question.context(choice), question.continuation(choice), tokenizer)
      guard text.context < text.tokens.count, text.context > 0 else {
        throw .malformed(
          path: path, line: question.line,
          reason: "the tokenizer has no token for its context or continuation \(choice)")
      }
      texts.append(text)
    }
    // A text's last token is only predicted.
    let inputs = texts.map { $0.tokens.dropLast() }
    let shared = inputs.dropFirst().reduce(inputs[0].count) { shared, input in
      min(shared, zip(inputs[0], input).prefix { $0 == $1 }.count)
    }
    let layout = SequenceLayout(prefix: shared, branches: inputs.map { $0.count - shared })
    self.layout = layout
    tokens = inputs[0].prefix(shared) + inputs.flatMap { $0.dropFirst(shared) }
    targets = zip(texts, layout.branches).map { text, branch in
      (text.context..<text.tokens.count).map { index in
        Target(
          row: index - 1 < shared ? index - 1 : branch.lowerBound + index - 1 - shared, token: text.tokens[index])
      }
    }
    longest = texts.map(\.tokens.count).max() ?? 0
  }

  /// The tokens of both, and how many of them are the context's. A choice without any context continues the
  /// begin-of-text token, or the end-of-text token where there is none.
  private static func tokens(
    _ context: String, _ continuation: String, _ tokenizer: Tokenizer
  ) -> (tokens: [Int32], context: Int) {
    let scalars = context.unicodeScalars
    let end = scalars.lastIndex { !$0.properties.isWhitespace }.map { scalars.index(after: $0) } ?? scalars.startIndex
    let (own, rest) = (String(scalars[..<end]), String(scalars[end...]) + continuation)
    guard !own.isEmpty else {
      let start = (tokenizer.beginOfText ?? tokenizer.endOfText).map { [$0] } ?? []
      return (start + tokenizer.encode(rest), start.count)
    }
    return (
      tokenizer.encode(own + rest, addingSpecialTokens: true),
      tokenizer.encode(own, addingSpecialTokens: true).count
    )
  }
}
