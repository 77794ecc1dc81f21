/// A text that a model was run over to solve what statistics do not tell.
public struct ProbedText: Sendable, Equatable, Codable {
  /// The digest of the token sequences that it is taken from, or `built-in`.
  public var text: String
  /// Tokens that were read of them.
  public var tokens: Int

  public static let builtIn = "built-in"

  public init(text: String, tokens: Int) {
    self.text = text
    self.tokens = tokens
  }
}
