/// One thread's histogram of `|x|` at one place, `[channels, bins]`.
struct MagnitudeCounter {
  private static let tile = 16  // channels: one cache line of a row, and histograms that fit in L1

  let channels: Int
  private(set) var counts: [Int64]
  /// A number that is not finite was seen; it is counted in the last bin.
  private(set) var sawUnusableNumber = false

  init(channels: Int) {
    self.channels = channels
    counts = [Int64](repeating: 0, count: channels * LogarithmicBins.count)
  }

  /// Counts some tokens; `x` points to the first rows of `[tokens, channels]`.
  /// Complexity: O(tokens · channels).
  mutating func add(_ x: UnsafePointer<Float>, tokens: Int) {
    let bins = LogarithmicBins.count
    var largest: UInt32 = 0
    counts.withUnsafeMutableBufferPointer { counts in
      for first in stride(from: 0, to: channels, by: Self.tile) {
        let width = min(Self.tile, channels - first)
        for token in 0..<tokens {
          let row = x + (token &* channels &+ first)
          for c in 0..<width {
            largest = max(largest, row[c].bitPattern & 0x7fff_ffff)
            counts[(first &+ c) &* bins &+ LogarithmicBins.bin(of: row[c])] &+= 1
          }
        }
      }
    }
    if largest >= Float.infinity.bitPattern { sawUnusableNumber = true }
  }
}
