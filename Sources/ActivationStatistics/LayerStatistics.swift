import Transformer

/// What one pass over a text tells of the FFN's factor `g = act(gate x)` or `u = up x`, by channel
/// and bin of the factor's magnitude. Either one can be the factor that decides what is kept.
public struct FactorStatistics: Sendable, Equatable {
  /// Tokens, `[channels, bins]`.
  public internal(set) var count: [Int64]
  /// Σ (g·u)², `[channels, bins]`.
  public internal(set) var energy: ExactSums
  /// Σ g·u, `[channels, bins]`.
  public internal(set) var sum: ExactSums
  /// Σ |factor|, `[channels]`.
  public internal(set) var absoluteSum: ExactSums
  /// Σ factor², `[channels]`.
  public internal(set) var squareSum: ExactSums

  init(channels: Int) {
    let cells = channels * LogarithmicBins.count
    count = [Int64](repeating: 0, count: cells)
    energy = ExactSums(count: cells)
    sum = ExactSums(count: cells)
    absoluteSum = ExactSums(count: channels)
    squareSum = ExactSums(count: channels)
  }

  static func += (total: inout Self, other: Self) {
    total.count.add(other.count)
    total.energy += other.energy
    total.sum += other.sum
    total.absoluteSum += other.absoluteSum
    total.squareSum += other.squareSum
  }

  static func -= (total: inout Self, part: Self) {
    total.count.subtract(part.count)
    total.energy -= part.energy
    total.sum -= part.sum
    total.absoluteSum -= part.absoluteSum
    total.squareSum -= part.squareSum
  }
}

/// What one pass over a text tells of one layer: no budget and no method is in it. All histograms
/// are over magnitudes, in ``LogarithmicBins``, row by row `[channels, bins]`.
public struct LayerStatistics: Sendable, Equatable {
  public internal(set) var gate: FactorStatistics
  public internal(set) var up: FactorStatistics
  /// `|g·u|`, the input of the down projection: `[intermediateSize, bins]`.
  public internal(set) var productCount: [Int64]
  /// The input that gate and up share: `[hiddenSize, bins]`.
  public internal(set) var ffnInputCount: [Int64]
  /// The input that query, key and value share: `[hiddenSize, bins]`.
  public internal(set) var attentionInputCount: [Int64]
  /// The input of the output projection: `[queryWidth, bins]`.
  public internal(set) var outputInputCount: [Int64]
  /// Of weights in planes; `nil` of others.
  public internal(set) var scores: ScoreStatistics?

  /// Nothing counted.
  public init(_ widths: LayerWidths) {
    let bins = LogarithmicBins.count
    gate = FactorStatistics(channels: widths.intermediate)
    up = FactorStatistics(channels: widths.intermediate)
    productCount = [Int64](repeating: 0, count: widths.intermediate * bins)
    ffnInputCount = [Int64](repeating: 0, count: widths.hidden * bins)
    attentionInputCount = [Int64](repeating: 0, count: widths.hidden * bins)
    outputInputCount = [Int64](repeating: 0, count: widths.query * bins)
    scores = widths.hasScores ? ScoreStatistics(channels: widths.intermediate) : nil
  }

  fileprivate var hasTokens: Bool {
    [gate.count, up.count, productCount, ffnInputCount, attentionInputCount, outputInputCount].contains { counts in
      counts.contains { $0 != 0 }
    }
  }

  /// Adds what another text told, exactly: the order of adding does not matter.
  public static func += (total: inout Self, other: Self) {
    total.gate += other.gate
    total.up += other.up
    total.productCount.add(other.productCount)
    total.ffnInputCount.add(other.ffnInputCount)
    total.attentionInputCount.add(other.attentionInputCount)
    total.outputInputCount.add(other.outputInputCount)
    if let scores = other.scores { total.scores? += scores }
  }

  static func -= (total: inout Self, part: Self) {
    total.gate -= part.gate
    total.up -= part.up
    total.productCount.subtract(part.productCount)
    total.ffnInputCount.subtract(part.ffnInputCount)
    total.attentionInputCount.subtract(part.attentionInputCount)
    total.outputInputCount.subtract(part.outputInputCount)
    if let scores = part.scores { total.scores? -= scores }
  }
}

/// A layer's statistics, with the first positions of each sequence apart: their massive activations
/// are of another kind than the rest.
public struct LayerRecord: Sendable, Equatable {
  /// All positions but the sinks.
  public var regular: LayerStatistics
  /// The first positions of each sequence, as many as were asked to be counted apart.
  public var sinks: LayerStatistics
  /// What was added to the sums of high planes before scores were counted; `nil` where nothing was.
  public var offsets: PlaneOffsets?

  public init(_ widths: LayerWidths) {
    self.init(regular: LayerStatistics(widths), sinks: LayerStatistics(widths))
  }

  init(regular: LayerStatistics, sinks: LayerStatistics) {
    self.regular = regular
    self.sinks = sinks
  }

  /// Every position: the two parts together.
  public var all: LayerStatistics {
    guard sinks.hasTokens else { return regular }  // most collections count no position apart
    var total = regular
    total += sinks
    return total
  }

  /// Of records with the same offsets.
  public static func += (total: inout Self, other: Self) {
    total.regular += other.regular
    total.sinks += other.sinks
  }

  /// Takes away what a part of the text told, exactly: what is left is what the rest of the text tells.
  public static func -= (total: inout Self, part: Self) {
    total.regular -= part.regular
    total.sinks -= part.sinks
  }

  /// Whether scores were counted with the same offsets, up to the rounding of another processor's products.
  func hasOffsets(of other: Self) -> Bool {
    guard let offsets, let others = other.offsets else { return (offsets == nil) == (other.offsets == nil) }
    return zip([offsets.gate, offsets.up], [others.gate, others.up]).allSatisfy { own, other in
      let greatest = other.reduce(0) { max($0, $1.magnitude) }
      return own.count == other.count && zip(own, other).allSatisfy { ($0 - $1).magnitude <= 1e-3 * greatest }
    }
  }

  /// Whether every sum is small enough for two float64 to hold it exactly.
  var isStorable: Bool {
    [regular.gate, regular.up, sinks.gate, sinks.up].allSatisfy { factor in
      [factor.energy, factor.sum, factor.absoluteSum, factor.squareSum].allSatisfy(\.isStorable)
    }
  }
}

extension [Int64] {
  /// Adds element by element, wrapping: readers of files check that counts are of a sane size.
  mutating func add(_ other: [Int64]) {
    precondition(count == other.count)
    for i in indices { self[i] &+= other[i] }
  }

  mutating func subtract(_ part: [Int64]) {
    precondition(count == part.count)
    for i in indices { self[i] &-= part[i] }
  }
}
