/// What storing a model's weights in another type costs, without any sparsity.
public struct RoundingLoss: Sendable, Equatable {
  /// The text that it was measured on: its SHA-256, or `built-in`.
  public var text: String
  /// The tokens predicted.
  public var tokens: Int
  /// Mean KL(source ‖ rounded weights) of a token, in nats.
  public var kl: Double
  /// Mean KL(rounded weights ‖ the same with activations rounded to 8 bits) of a token, in nats; `nil` for types
  /// whose weights are not multiplied in integers.
  public var activationRoundingKL: Double?

  public static let builtInText = "built-in"

  public init(text: String, tokens: Int, kl: Double, activationRoundingKL: Double? = nil) {
    self.text = text
    self.tokens = tokens
    self.kl = kl
    self.activationRoundingKL = activationRoundingKL
  }

  /// Whether rounding activations is so cheap beside what a bundle loses that a runtime should do it.
  func allowsRoundedActivations(beside bundleKL: Double) -> Bool {
    activationRoundingKL.map { $0 < bundleKL / 10 } ?? false
  }
}
