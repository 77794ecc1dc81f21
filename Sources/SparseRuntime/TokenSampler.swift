import Foundation

/// How the next token is chosen. The defaults take the most likely one.
public struct SamplingOptions: Sendable, Equatable {
  /// Divides logits; 0 takes the most likely token.
  public var temperature = 0.0
  /// Only the most likely `topK` tokens; 0 for all.
  public var topK = 0
  /// Only the most likely tokens that together reach this probability (Holtzman et al. 2020); 1 for all.
  public var topP = 1.0
  /// Only tokens at least this share as likely as the most likely one (Nguyen et al. 2024); 0 for all.
  public var minP = 0.0
  /// Divides positive and multiplies negative logits of tokens that occurred (Keskar et al. 2019); 1 for none.
  public var repetitionPenalty = 1.0
  public var seed: UInt64 = 0

  public init(
    temperature: Double = 0, topK: Int = 0, topP: Double = 1, minP: Double = 0, repetitionPenalty: Double = 1,
    seed: UInt64 = 0
  ) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.minP = minP
    self.repetitionPenalty = repetitionPenalty
    self.seed = seed
  }
}

/// Chooses the next token from logits.
///
/// The order is that of Hugging Face transformers: penalty, temperature, then the filters, each on what the one
/// before it left. The same options and logits give the same tokens on every machine.
public struct TokenSampler: Sendable {
  public let options: SamplingOptions
  private var generator: SplitMix64
  private var seen: Set<Int32> = []

  struct Candidate: Sendable, Equatable {
    var token: Int32
    /// Relative to the most likely token's, which is 1.
    var weight: Double

    /// The most likely first, of equally likely ones the first.
    static func isBefore(_ a: Self, _ b: Self) -> Bool { (a.weight, b.token) > (b.weight, a.token) }
  }

  public init(_ options: SamplingOptions = SamplingOptions()) {
    self.options = options
    generator = SplitMix64(state: options.seed)
  }

  /// Notes a token of the prompt, for the repetition penalty.
  public mutating func accept(_ token: Int32) {
    if options.repetitionPenalty != 1 { seen.insert(token) }
  }

  /// The token chosen, which counts as having occurred. Complexity: O(vocabulary), and sorting what filters leave.
  public mutating func next(_ logits: UnsafeBufferPointer<Float>) -> Int32 {
    let token: Int32
    if seen.isEmpty {
      token = choose(logits)
    } else {
      let scores = penalised(logits)
      token = scores.withUnsafeBufferPointer { choose($0) }
    }
    accept(token)
    return token
  }

  /// As ``next(_:)-(UnsafeBufferPointer<Float>)``.
  public mutating func next(_ logits: [Float]) -> Int32 { logits.withUnsafeBufferPointer { next($0) } }

  private func penalised(_ logits: some Sequence<Float>) -> [Float] {
    var scores = Array(logits)
    let penalty = Float(options.repetitionPenalty)
    for token in seen where Int(token) < scores.count {
      scores[Int(token)] *= scores[Int(token)] > 0 ? 1 / penalty : penalty
    }
    return scores
  }

  /// Each token that may be chosen, with its probability, for tests.
  func distribution(_ logits: [Float]) -> [Int32: Double] {
    penalised(logits).withUnsafeBufferPointer { scores in
      guard let top = scores.greatest else { return [:] }
      let candidates = candidates(scores, top: top)
      let total = candidates.reduce(0) { $0 + $1.weight }
      return Dictionary(uniqueKeysWithValues: candidates.map { ($0.token, $0.weight / total) })
    }
  }

  private mutating func choose(_ logits: UnsafeBufferPointer<Float>) -> Int32 {
    guard let top = logits.greatest else { return 0 }
    guard options.temperature > 0 else { return Int32(top) }
    let candidates = candidates(logits, top: top)
    let total = candidates.reduce(0) { $0 + $1.weight }
    guard total.isFinite, total > 0 else { return Int32(top) }  // logits of a damaged model
    var rest = Double.random(in: 0..<total, using: &generator)
    for candidate in candidates {
      rest -= candidate.weight
      if rest < 0 { return candidate.token }
    }
    return Int32(top)
  }

  /// What the filters leave, the most likely first where any of them needs order.
  func candidates(_ logits: UnsafeBufferPointer<Float>, top: Int) -> [Candidate] {
    var candidates = logits.enumerated().map { token, logit in
      Candidate(token: Int32(token), weight: exp(Double(logit - logits[top]) / options.temperature))
    }
    if options.topK > 0 { keepFirst(options.topK, of: &candidates) }
    if options.topP < 1 { keepMostLikely(&candidates) }
    candidates.removeAll { $0.weight < options.minP }
    return candidates
  }

  /// Leaves the `count` most likely tokens: most others are not as likely as the last of those found so far.
  private func keepFirst(_ count: Int, of candidates: inout [Candidate]) {
    var kept: [Candidate] = []
    var least = -Double.infinity  // of what may still be among the first
    for candidate in candidates where candidate.weight > least {
      kept.append(candidate)
      guard kept.count == 2 * count else { continue }
      kept.sort(by: Candidate.isBefore)
      kept.removeLast(count)
      least = kept[count - 1].weight
    }
    kept.sort(by: Candidate.isBefore)
    candidates = Array(kept.prefix(count))
  }

  /// Leaves the fewest tokens that together reach `topP`.
  private func keepMostLikely(_ candidates: inout [Candidate]) {
    let total = candidates.reduce(0) { $0 + $1.weight }
    // All tokens below this together weigh less than what may be left out: no need to sort them.
    let least = (1 - options.topP) * total / Double(candidates.count)
    candidates.removeAll { $0.weight < least }
    candidates.sort(by: Candidate.isBefore)
    var sum = 0.0
    let last = candidates.firstIndex { candidate in
      sum += candidate.weight
      return sum >= options.topP * total
    }
    if let last { candidates.removeLast(candidates.count - 1 - last) }
  }
}

extension UnsafeBufferPointer<Float> {
  /// The index of the greatest value, the first of equal ones; numbers only. `nil` where there is none.
  var greatest: Int? {
    guard var best = indices.first(where: { !self[$0].isNaN }) else { return nil }
    // Sixteen at a time tell whether anything is greater; few blocks have to be looked at one by one.
    var i = best + 1
    while i < count {
      if i + 16 <= count {
        let block = UnsafeRawPointer(baseAddress! + i).loadUnaligned(as: SIMD16<Float>.self)
        guard any(block .> SIMD16(repeating: self[best])) else {
          i += 16
          continue
        }
      }
      for j in i..<Swift.min(i + 16, count) where self[j] > self[best] { best = j }
      i += 16
    }
    return best
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
