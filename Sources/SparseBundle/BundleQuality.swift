/// What a bundle loses beside the model that it was made from: with its own weights, and thresholds on every position of
/// a text.
public struct BundleQuality: Sendable, Equatable, Codable {
  /// One of the bundle's budgets.
  public struct Budget: Sendable, Equatable, Codable {
    public var sparsity: Double
    public var perplexity: Double
    /// Mean KL(source model ‖ bundle) of a token, in nats.
    public var kl: Double
    /// The weights that a token reads, as a share of what it reads densely.
    public var activatedShare: Double

    public init(sparsity: Double, perplexity: Double, kl: Double, activatedShare: Double) {
      self.sparsity = sparsity
      self.perplexity = perplexity
      self.kl = kl
      self.activatedShare = activatedShare
    }
  }

  /// Its SHA-256, or `built-in`.
  public var text: String
  /// Tokens predicted.
  public var tokens: Int
  /// Of whatever is drawn: windows are the text's first ones in order, so that nothing is.
  public var seed = 0
  /// What measures it again.
  public var command: String
  /// Of the source model.
  public var densePerplexity: Double
  /// The default's first.
  public var budgets: [Budget]

  public init(text: String, tokens: Int, command: String, densePerplexity: Double, budgets: [Budget]) {
    self.text = text
    self.tokens = tokens
    self.command = command
    self.densePerplexity = densePerplexity
    self.budgets = budgets
  }

  /// What is wrong with it in itself.
  var problem: String? {
    guard tokens > 0, !budgets.isEmpty else { return "quality was measured on no text, or of no budget" }
    let perplexities = [densePerplexity] + budgets.map(\.perplexity)
    guard perplexities.allSatisfy({ $0 >= 1 && $0.isFinite }),
      budgets.allSatisfy({ $0.kl >= 0 && $0.kl.isFinite && (0...1).contains($0.activatedShare) })
    else { return "quality has a perplexity, KL or share that is none" }
    return nil
  }
}
