import Histograms

/// One thread's running histograms of the two FFN factors and of their product, in units of
/// ``ExactSums``.
///
/// Numbers below 32 in magnitude, nearly all, are added as 64-bit integers by a kernel, a channel and a
/// block of tokens at a time; a block with a larger one is added number by number in 128 bits. 64-bit
/// sums are emptied before 2¹³ tokens could overflow them. The memory is used again for the next layer.
final class FactorAccumulator {
  private static let tokensBeforeFlush = 1 << 13
  private static let limit: Float = 32  // its square is 2⁵⁰ units, of which 2¹³ do not exceed 2⁶³
  private static let block = 256  // tokens
  private static let tile = 16  // channels: one cache line of a row

  private let channels: Int
  private var histograms: FactorHistograms
  private var gateColumns: [Float] = []
  private var upColumns: [Float] = []
  private var tokens = 0
  /// What was emptied, and what was added in 128 bits; `nil` for nothing.
  private var total: FactorTotals?

  init(channels: Int) {
    self.channels = channels
    histograms = FactorHistograms(
      channels: channels, LogarithmicBins.scheme, limit: Self.limit, scale: ExactSums.unitsPerOne)
  }

  /// Counts some tokens' `g` and `u`, the first rows of `[tokens, channels]`.
  /// Complexity: O(tokens · channels).
  func add(gate g: UnsafePointer<Float>, up u: UnsafePointer<Float>, tokens count: Int) {
    var start = 0
    while start < count {
      if tokens == Self.tokensBeforeFlush { flush() }
      let part = min(count - start, Self.tokensBeforeFlush - tokens)
      addPart(g + start * channels, u + start * channels, part)
      tokens += part
      start += part
    }
  }

  /// Everything counted since the last call.
  func finish() -> FactorTotals {
    var totals = FactorTotals(channels: channels)
    drain(into: &totals)
    return totals
  }

  /// Adds everything counted since the last call.
  func drain(into totals: inout FactorTotals) {
    if let total { totals += total }
    total = nil
    totals.drain(&histograms)
    tokens = 0
  }

  /// Channel by channel, so that a channel's cells stay in cache; columns are gathered a cache line
  /// of channels at a time, so that a row's line is read once.
  private func addPart(_ g: UnsafePointer<Float>, _ u: UnsafePointer<Float>, _ count: Int) {
    if gateColumns.count < Self.tile * count {
      gateColumns = [Float](repeating: 0, count: Self.tile * count)
      upColumns = gateColumns
    }
    for first in stride(from: 0, to: channels, by: Self.tile) {
      let width = min(Self.tile, channels - first)
      gatherChannels(g + first, tokens: count, stride: channels, width: width, into: &gateColumns)
      gatherChannels(u + first, tokens: count, stride: channels, width: width, into: &upColumns)
      for column in 0..<width {
        for start in stride(from: 0, to: count, by: Self.block) {
          addBlock(first + column, start: column * count + start, min(Self.block, count - start))
        }
      }
    }
  }

  private func addBlock(_ channel: Int, start: Int, _ count: Int) {
    let counted = gateColumns.withUnsafeBufferPointer { g in
      upColumns.withUnsafeBufferPointer { u in
        guard let g = g.baseAddress, let u = u.baseAddress else { return true }
        return histograms.add(channel: channel, gate: g + start, up: u + start, tokens: count)
      }
    }
    if counted { return }
    var large = takeTotal()
    for i in start..<start + count { large.add(channel: channel, gate: gateColumns[i], up: upColumns[i]) }
    total = large
  }

  private func flush() {
    var totals = takeTotal()
    totals.drain(&histograms)
    total = totals
    tokens = 0
  }

  /// Leaves nothing behind, so that arrays are changed in place.
  private func takeTotal() -> FactorTotals {
    defer { total = nil }
    return total ?? FactorTotals(channels: channels)
  }
}

/// What was counted of both factors and their product, in 128 bits.
struct FactorTotals {
  var gate: FactorStatistics
  var up: FactorStatistics
  var productCount: [Int64]
  /// A number that was not finite, or beyond what sums can hold, was seen and left out.
  private(set) var sawUnusableNumber = false

  init(channels: Int) {
    gate = FactorStatistics(channels: channels)
    up = FactorStatistics(channels: channels)
    productCount = [Int64](repeating: 0, count: channels * LogarithmicBins.count)
  }

  /// One number, plainly.
  mutating func add(channel: Int, gate g: Float, up u: Float) {
    let product = g * u
    let wide = Double(product)
    guard let energy = ExactSums.units(of: wide * wide), let sum = ExactSums.units(of: wide),
      gate.canAdd(g), up.canAdd(u)
    else {
      sawUnusableNumber = true
      return
    }
    gate.add(channel, g, energy, sum)
    up.add(channel, u, energy, sum)
    productCount[channel * LogarithmicBins.count + LogarithmicBins.bin(of: product)] += 1
  }

  static func += (totals: inout Self, other: Self) {
    totals.gate += other.gate
    totals.up += other.up
    for i in totals.productCount.indices { totals.productCount[i] += other.productCount[i] }
    totals.sawUnusableNumber = totals.sawUnusableNumber || other.sawUnusableNumber
  }

  /// Adds what histograms hold and leaves them empty.
  mutating func drain(_ histograms: inout FactorHistograms) {
    gate.drain(&histograms.gate, &histograms.gateMoments)
    up.drain(&histograms.up, &histograms.upMoments)
    for i in productCount.indices {
      productCount[i] += histograms.product[i]
      histograms.product[i] = 0
    }
  }
}

extension FactorStatistics {
  fileprivate func canAdd(_ x: Float) -> Bool { ExactSums.units(of: Double(x) * Double(x)) != nil }

  fileprivate mutating func add(_ channel: Int, _ x: Float, _ energy: Int128, _ sum: Int128) {
    let cell = channel * LogarithmicBins.count + LogarithmicBins.bin(of: x)
    count[cell] += 1
    self.energy.units[cell] += energy
    self.sum.units[cell] += sum
    absoluteSum.units[channel] += ExactSums.units(of: Double(x.magnitude)) ?? 0
    squareSum.units[channel] += ExactSums.units(of: Double(x) * Double(x)) ?? 0
  }

  fileprivate mutating func drain(
    _ cells: inout [FactorHistograms.Cell], _ moments: inout [FactorHistograms.Moments]
  ) {
    for i in cells.indices where cells[i].count > 0 {
      count[i] += cells[i].count
      energy.units[i] += Int128(cells[i].energy)
      sum.units[i] += Int128(cells[i].sum)
      cells[i] = FactorHistograms.Cell()
    }
    for i in moments.indices {
      absoluteSum.units[i] += Int128(moments[i].absolute)
      squareSum.units[i] += Int128(moments[i].square)
      moments[i] = FactorHistograms.Moments()
    }
  }
}
