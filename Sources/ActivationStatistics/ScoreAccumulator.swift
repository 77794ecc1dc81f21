import Histograms

/// One thread's running histograms of scores, in units of ``ExactSums``.
///
/// Products below 32 in magnitude, nearly all, are added as 64-bit integers; larger ones in 128 bits. 64-bit sums are
/// emptied before 2¹³ tokens could overflow them.
final class ScoreAccumulator {
  private static let tokensBeforeFlush = 1 << 13
  private static let limit: Float = 32  // its square is 2⁵⁰ units, of which 2¹³ do not exceed 2⁶³
  private static let tile = 16  // channels: one cache line of a row

  private struct Cell {
    var count: Int64 = 0
    var energy: Int64 = 0
    var error: Int64 = 0
  }

  static let bytesPerCell = MemoryLayout<Cell>.stride

  private let channels: Int
  private var cells: [Cell]
  private var products: [Float] = []
  private var halves: [Float] = []
  private var tokens = 0
  /// What was emptied, and what was added in 128 bits.
  private var total: ScoreStatistics?
  private var sawUnusableNumber = false

  init(channels: Int) {
    self.channels = channels
    cells = [Cell](repeating: Cell(), count: channels * LogarithmicBins.count)
  }

  /// Counts some tokens' `g·u` and `ĝ·û`, the first rows of `[tokens, channels]`.
  /// Complexity: O(tokens · channels).
  func add(product: UnsafePointer<Float>, half: UnsafePointer<Float>, tokens count: Int) {
    var start = 0
    while start < count {
      if tokens == Self.tokensBeforeFlush { flush() }
      let part = min(count - start, Self.tokensBeforeFlush - tokens)
      addPart(product + start * channels, half + start * channels, part)
      tokens += part
      start += part
    }
  }

  /// Adds everything counted since the last call. Returns whether all numbers could be counted.
  func drain(into scores: inout ScoreStatistics) -> Bool {
    if let total { scores += total }
    total = nil
    empty(into: &scores)
    defer { sawUnusableNumber = false }
    return !sawUnusableNumber
  }

  /// Channel by channel, so that a channel's cells stay in cache.
  private func addPart(_ product: UnsafePointer<Float>, _ half: UnsafePointer<Float>, _ count: Int) {
    if products.count < Self.tile * count {
      products = [Float](repeating: 0, count: Self.tile * count)
      halves = products
    }
    for first in stride(from: 0, to: channels, by: Self.tile) {
      let width = min(Self.tile, channels - first)
      gatherChannels(product + first, tokens: count, stride: channels, width: width, into: &products)
      gatherChannels(half + first, tokens: count, stride: channels, width: width, into: &halves)
      for column in 0..<width {
        addChannel(first + column, column * count..<(column + 1) * count)
      }
    }
  }

  private func addChannel(_ channel: Int, _ places: Range<Int>) {
    let first = channel * LogarithmicBins.count
    var large: [Int] = []
    cells.withUnsafeMutableBufferPointer { cells in
      products.withUnsafeBufferPointer { products in
        halves.withUnsafeBufferPointer { halves in
          for i in places {
            let (product, error) = (products[i], products[i] - halves[i])
            guard product.magnitude < Self.limit, error.magnitude < Self.limit else {
              large.append(i)
              continue
            }
            let cell = first + LogarithmicBins.bin(of: halves[i])
            cells[cell].count &+= 1
            cells[cell].energy &+= smallUnits(of: Double(product) * Double(product))
            cells[cell].error &+= smallUnits(of: Double(error) * Double(error))
          }
        }
      }
    }
    for i in large { addLarge(channel, products[i], halves[i]) }
  }

  private func addLarge(_ channel: Int, _ product: Float, _ half: Float) {
    let error = Double(product - half)
    guard half.isFinite, let energy = ExactSums.units(of: Double(product) * Double(product)),
      let error = ExactSums.units(of: error * error)
    else {
      sawUnusableNumber = true
      return
    }
    var sums = takeTotal()
    let cell = channel * LogarithmicBins.count + LogarithmicBins.bin(of: half)
    sums.count[cell] += 1
    sums.energy.units[cell] += energy
    sums.error.units[cell] += error
    total = sums
  }

  private func flush() {
    var sums = takeTotal()
    empty(into: &sums)
    total = sums
  }

  private func empty(into scores: inout ScoreStatistics) {
    for i in cells.indices where cells[i].count > 0 {
      scores.count[i] += cells[i].count
      scores.energy.units[i] += Int128(cells[i].energy)
      scores.error.units[i] += Int128(cells[i].error)
      cells[i] = Cell()
    }
    tokens = 0
  }

  /// Leaves nothing behind, so that arrays are changed in place.
  private func takeTotal() -> ScoreStatistics {
    defer { total = nil }
    return total ?? ScoreStatistics(channels: channels)
  }
}

/// `x` in units of ``ExactSums``, to the nearest and of two to the even, as these round; for `x` below 2¹⁰. Adding this
/// leaves no bits for a fraction and the integer in the low bits: `rounded()` would be a call for each number.
@inline(__always)
private func smallUnits(of x: Double) -> Int64 {
  let integerBits = 0x1.8p52
  let shifted = x * ExactSums.unitsPerOne + integerBits
  return Int64(bitPattern: shifted.bitPattern &- integerBits.bitPattern)
}
