import Foundation

/// Chooses the next token from logits.
public struct TokenSampler: Sendable {
  /// 0 takes the most likely token.
  public let temperature: Double
  private var generator: SplitMix64

  public init(temperature: Double = 0, seed: UInt64 = 0) {
    self.temperature = temperature
    generator = SplitMix64(state: seed)
  }

  /// The index of the token chosen. Complexity: O(vocabulary).
  public mutating func next(_ logits: [Float]) -> Int32 {
    guard let top = logits.indices.max(by: { logits[$0] < logits[$1] }) else { return 0 }
    guard temperature > 0 else { return Int32(top) }
    let weights = logits.map { exp(Double($0 - logits[top]) / temperature) }
    let total = weights.reduce(0, +)
    guard total.isFinite, total > 0 else { return Int32(top) }  // logits of a damaged model
    var rest = Double.random(in: 0..<total, using: &generator)
    for (token, weight) in weights.enumerated() {
      rest -= weight
      if rest < 0 { return Int32(token) }
    }
    return Int32(top)
  }
}

/// Steele, Lea and Flood 2014: a small generator whose whole state is one number, so that a seed
/// means the same on every machine.
struct SplitMix64: RandomNumberGenerator, Sendable {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
