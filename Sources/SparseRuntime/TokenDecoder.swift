import SparseBundle

/// What takes tokens one by one and says what comes next: the plain oracle, or the fast engine.
///
///     for token in prompt.dropLast() { decoder.step(token, sparse: false) }
///     decoder.step(last, sparse: true)
///     let next = sampler.next(decoder.logits)
public protocol TokenDecoder: AnyObject {
  /// Tokens decoded so far.
  var position: Int { get }
  /// What thresholds decided so far, at each place.
  var decided: DecisionCounts { get }
  /// Of the token after the last one: `[vocabularySize]`. Valid until the next step.
  var logits: UnsafeBufferPointer<Float> { get }

  /// Takes one more token.
  ///
  /// - Parameter sparse: Thresholds decide what is kept; otherwise everything is.
  /// - Precondition: `token` is in the vocabulary and `position` is below the capacity.
  func step(_ token: Int32, sparse: Bool)
}
