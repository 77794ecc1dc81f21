import Transformer

/// A text that grows: a prompt is read, then the sampler's choices go back into the decoder.
public struct Generation {
  /// Tokens chosen so far.
  public private(set) var tokens: [Int32] = []
  /// Of decoding, after the prompt.
  public private(set) var seconds = 0.0

  public var tokensPerSecond: Double { Double(steps) / max(seconds, 1e-9) }
  private var steps = 0

  public init() {}

  /// Reads `prompt` and decodes until a stop token is chosen or `limit` tokens are there.
  ///
  /// - Parameters:
  ///   - prompt: At least one token; the last one is decoded, not read.
  ///   - sparse: Thresholds decide what decoding keeps.
  ///   - sparsePrompt: Thresholds decide what reading the prompt keeps.
  ///   - chosen: Handed each token but the stop token.
  /// - Throws: What unpacking weights throws, or `NonFiniteLogits`.
  public mutating func run(
    _ decoder: inout some TokenDecoder, _ sampler: inout TokenSampler, prompt: [Int32], limit: Int, stop: Set<Int32>,
    sparse: Bool, sparsePrompt: Bool = false, chosen: (Int32) -> Void = { _ in }
  ) throws {
    guard var token = prompt.last else { return }
    try decoder.read(prompt.dropLast(), sparse: sparse && sparsePrompt)
    for token in prompt { sampler.accept(token) }
    tokens.reserveCapacity(limit)
    let start = ContinuousClock.now
    while tokens.count < limit {
      decoder.step(token, sparse: sparse)
      steps += 1
      token = try decoder.withLogits { logits in
        let next = sampler.next(logits)
        guard logits[Int(next)].isFinite else { throw NonFiniteLogits() }
        return next
      }
      if stop.contains(token) { break }
      tokens.append(token)
      chosen(token)
    }
    seconds += start.duration(to: .now).seconds
  }
}
