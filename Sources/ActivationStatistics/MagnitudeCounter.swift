import Histograms

/// One thread's histogram of `|x|` at one place, `[channels, bins]`.
final class MagnitudeCounter {
  let channels: Int
  private var counts: [Int64]
  /// A number that is not finite was seen; it is counted in the last bin.
  private var sawUnusableNumber = false

  init(channels: Int) {
    self.channels = channels
    counts = [Int64](repeating: 0, count: channels * LogarithmicBins.count)
  }

  /// Counts some tokens; `x` points to the first rows of `[tokens, channels]`.
  /// Complexity: O(tokens · channels).
  func add(_ x: UnsafePointer<Float>, tokens: Int) {
    let finite = MagnitudeHistograms.add(
      x, tokens: tokens, channels: channels, LogarithmicBins.scheme, into: &counts)
    if !finite { sawUnusableNumber = true }
  }

  /// Adds the counts to `total` and starts afresh. Returns whether all numbers were finite.
  func drain(into total: inout [Int64]) -> Bool {
    defer { sawUnusableNumber = false }
    // One access for all: the compiler checks each one to what an object holds.
    counts.withUnsafeMutableBufferPointer { counts in
      for i in counts.indices {
        total[i] += counts[i]
        counts[i] = 0
      }
    }
    return !sawUnusableNumber
  }
}
