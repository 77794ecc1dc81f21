import ActivationStatistics

/// The FFN of weights in planes: each channel of each token gets nothing, half or all of its bits, by its score
/// `ŝ = |ĝ·û|` from the high planes of its gate and up rows, which are always read.
///
/// With λ the price of one plane of one row, a channel's bin of scores costs, summed over its tokens,
///
///     drop   Σ (g·u)²
///     half   Σ (g·u − ĝ·û)² + q · Σ (ĝ·û)²   + λ tokens       q: what the down column's high plane leaves out of it
///     full   0                               + 4 λ tokens     the low planes of three rows, and the down column's high one
///
/// and the two thresholds, at bins' edges, are those of the least sum over the channel's bins. As everywhere differences
/// between the norms of down columns and cross terms between channels are neglected (method.md, "Precision on demand").
struct GradedProducts {
  /// Planes of a row: of the six of a channel two are always read.
  static let (always, all) = (2.0, 6.0)
  private static let (half, full) = (1.0, 4.0)

  /// The bins of one channel that hold tokens, in their order, and the sums that costs are made of.
  private struct Channel {
    var bins: [Int] = []
    var tokens: [Double] = []
    var energy: [Double] = []
    var error: [Double] = []
  }

  private let channels: [Channel]
  private let tokens: Double

  /// - Parameter down: Of the down projection, whose inputs the channels are.
  /// - Complexity: O(channels · bins).
  init(_ scores: ScoreStatistics, down: PlaneErrors.Columns) {
    let count = down.squares.count
    let (energy, error) = (scores.energy.values, scores.error.values)
    channels = (0..<count).map { index in
      var channel = Channel()
      let rounding = down.squares[index] > 0 ? down.errors[index] / down.squares[index] : 0
      for bin in 0..<LogarithmicBins.count {
        let cell = index * LogarithmicBins.count + bin
        let tokens = Double(scores.count[cell])
        guard tokens > 0 else { continue }
        channel.bins.append(bin)
        channel.tokens.append(tokens)
        channel.energy.append(energy[cell])
        channel.error.append(error[cell] + rounding * tokens * Self.centres[bin] * Self.centres[bin])
      }
      return channel
    }
    tokens = channels.first?.tokens.reduce(0, +) ?? 0
  }

  /// The thresholds that read this share of the FFN's bytes, or as little as can be.
  ///
  /// - Complexity: O(channels · bins), forty times.
  func thresholds(bytesShare: Double) -> GradeThresholds {
    guard bytesShare < 1 else { return .everything(channels: channels.count) }
    let price = priceOfBytes(atShare: bytesShare) { self.bytesShare(grades($0).shares) }
    return grades(price).thresholds
  }

  /// What the thresholds of one price do.
  private func grades(_ price: Double) -> (thresholds: GradeThresholds, shares: GradeShares) {
    var thresholds = GradeThresholds(half: [], full: [])
    var (dropped, full) = (0.0, 0.0)
    for channel in channels {
      let (first, second) = Self.cuts(channel, price)
      thresholds.half.append(Self.threshold(channel, first))
      thresholds.full.append(Self.threshold(channel, second))
      dropped += channel.tokens[..<first].reduce(0, +)
      full += channel.tokens[second...].reduce(0, +)
    }
    let total = max(tokens * Double(channels.count), 1)
    return (thresholds, GradeShares(dropped: dropped / total, full: full / total))
  }

  private func bytesShare(_ shares: GradeShares) -> Double {
    (Self.always + Self.half * shares.half + Self.full * shares.full) / Self.all
  }

  /// How many of the channel's bins are dropped, and how many are not full.
  private static func cuts(_ channel: Channel, _ price: Double) -> (Int, Int) {
    // Of each place to end dropping, what it costs up to there more than half would; of the least so far, where it was.
    var (beyondHalf, least, leastAt) = (0.0, 0.0, 0)
    // The same of half more than full, behind the best place to end dropping.
    var (beyondFull, best, cuts) = (0.0, 0.0, (0, 0))
    for i in channel.bins.indices {
      let halfCost = channel.error[i] + half * price * channel.tokens[i]
      beyondHalf += channel.energy[i] - halfCost
      beyondFull += halfCost - full * price * channel.tokens[i]
      if beyondHalf < least { (least, leastAt) = (beyondHalf, i + 1) }
      let cost = least + beyondFull
      if cost < best { (best, cuts) = (cost, (leastAt, i + 1)) }
    }
    return cuts
  }

  /// The lower edge of the channel's bin `index`; behind the last one its upper edge: what was never seen is read.
  private static func threshold(_ channel: Channel, _ index: Int) -> Float {
    if index < channel.bins.count { return index == 0 ? 0 : Float(LogarithmicBins.edges[channel.bins[index]]) }
    return channel.bins.last.map { Float(LogarithmicBins.edges[$0 + 1]) } ?? 0
  }

  /// The middle of each bin; of the open last one, as if it were an octave.
  private static let centres: [Double] = {
    let edges = LogarithmicBins.edges
    return (0..<LogarithmicBins.count).map { bin in
      bin == LogarithmicBins.count - 1 ? 1.5 * edges[bin] : (edges[bin] + edges[bin + 1]) / 2
    }
  }()
}

extension GradeThresholds {
  /// The shares of a text's channels in each grade, of the histogram `[channels, bins]` of what is compared.
  func shares(_ counts: [Int64]) -> GradeShares {
    let scales = [Double](repeating: 1, count: counts.count / LogarithmicBins.count)
    let scores = PooledScores(counts: counts, scales: scales, gateActivation: nil)
    return GradeShares(dropped: scores.shareDropped(half), full: 1 - scores.shareDropped(full))
  }
}
