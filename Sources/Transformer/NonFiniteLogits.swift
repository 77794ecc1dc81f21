/// What a model predicts is no numbers: weights of tokens that calibration did not come by may be damaged.
public struct NonFiniteLogits: Error, Equatable, CustomStringConvertible {
  public init() {}

  public var description: String {
    "the model computes logits that are infinite or not a number: check that its weights are intact"
  }
}
