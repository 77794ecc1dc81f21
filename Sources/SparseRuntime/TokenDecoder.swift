/// What takes tokens one by one and says what comes next: the plain oracle, or the fast engine.
///
///     decoder.read(prompt.dropLast(), sparse: false)
///     decoder.step(last, sparse: true)
///     let next = decoder.withLogits { sampler.next($0) }
public protocol TokenDecoder {
  /// Tokens decoded so far.
  var position: Int { get }
  /// What thresholds decided so far, at each place.
  var decided: DecisionCounts { get }

  /// Takes one more token.
  ///
  /// - Parameter sparse: Thresholds decide what is kept; otherwise everything is.
  /// - Precondition: `token` is in the vocabulary and `position` is below the capacity.
  mutating func step(_ token: Int32, sparse: Bool)

  /// Takes a part of a prompt, whose logits nobody asks for.
  ///
  /// - Throws: What unpacking weights throws.
  mutating func read(_ tokens: ArraySlice<Int32>, sparse: Bool) throws

  /// Hands over the logits of the token that follows the last one: `[vocabularySize]`.
  func withLogits<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result
}
