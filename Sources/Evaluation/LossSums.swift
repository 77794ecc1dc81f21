/// What a model lost on the predicted tokens of one document.
public struct LossSums: Sendable, Equatable {
  /// Predicted tokens.
  public var tokens = 0
  /// Σ −log p(token).
  public var nll = 0.0
  /// Σ KL(dense‖this model) of the positions' distributions; 0 for the dense model.
  public var kl = 0.0
  /// Positions at which the most likely token is the dense model's.
  public var agreements = 0

  public init() {}

  mutating func add(_ other: LossSums) {
    tokens += other.tokens
    nll += other.nll
    kl += other.kl
    agreements += other.agreements
  }
}
