/// One thread's running histograms of the two FFN factors, in 64-bit units of ``ExactSums``.
///
/// Numbers below √128 in magnitude, nearly all, are added as 64-bit integers; larger ones go into
/// 128-bit sums one by one. 64-bit sums are emptied before 2¹⁵ tokens could overflow them.
final class FactorAccumulator {
  /// The histogram cell of one channel and bin, of one factor.
  private struct Cell {
    var count: Int64 = 0
    var energy: Int64 = 0
    var sum: Int64 = 0
  }

  /// Σ|x| and Σx² of one channel, of one factor.
  private struct Moments {
    var absolute: Int64 = 0
    var square: Int64 = 0
  }

  private static let tokensBeforeFlush = 1 << 15
  private static let largestSquare: Float = 128  // in units 2⁴⁷: 2¹⁵ of them stay below 2⁶³
  private static let tile = 16  // channels: one cache line of a row

  private let channels: Int
  private var gate: [Cell]
  private var up: [Cell]
  private var gateMoments: [Moments]
  private var upMoments: [Moments]
  private var gateColumns: [Float] = []
  private var upColumns: [Float] = []
  private var tokens = 0
  private var total: (gate: FactorStatistics, up: FactorStatistics)

  /// A number that was not finite, or beyond what sums can hold, was seen and left out.
  private(set) var sawUnusableNumber = false

  init(channels: Int) {
    self.channels = channels
    let cells = channels * LogarithmicBins.count
    gate = [Cell](repeating: Cell(), count: cells)
    up = [Cell](repeating: Cell(), count: cells)
    gateMoments = [Moments](repeating: Moments(), count: channels)
    upMoments = [Moments](repeating: Moments(), count: channels)
    total = (FactorStatistics(channels: channels), FactorStatistics(channels: channels))
  }

  /// Counts some tokens' `g` and `u`. `g` and `u` are the first rows of `[tokens, channels]`.
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

  /// Channel by channel, so that a channel's cells stay in cache; columns are gathered a cache line
  /// of channels at a time, so that a row's line is read once.
  private func addPart(_ g: UnsafePointer<Float>, _ u: UnsafePointer<Float>, _ count: Int) {
    if gateColumns.count < Self.tile * count {
      gateColumns = [Float](repeating: 0, count: Self.tile * count)
      upColumns = gateColumns
    }
    for first in stride(from: 0, to: channels, by: Self.tile) {
      let width = min(Self.tile, channels - first)
      gather(g + first, width, count, into: &gateColumns)
      gather(u + first, width, count, into: &upColumns)
      for column in 0..<width { addChannel(first + column, column: column, count) }
    }
  }

  private func gather(_ x: UnsafePointer<Float>, _ width: Int, _ count: Int, into columns: inout [Float]) {
    columns.withUnsafeMutableBufferPointer { columns in
      for token in 0..<count {
        for c in 0..<width { columns[c &* count &+ token] = x[token &* channels &+ c] }
      }
    }
  }

  private func addChannel(_ channel: Int, column: Int, _ count: Int) {
    let bins = LogarithmicBins.count
    var large: [Int] = []
    gateColumns.withUnsafeBufferPointer { gateColumns in
      upColumns.withUnsafeBufferPointer { upColumns in
        gate.withUnsafeMutableBufferPointer { gateCells in
          up.withUnsafeMutableBufferPointer { upCells in
            let g = gateColumns.baseAddress! + column * count
            let u = upColumns.baseAddress! + column * count
            let gateRow = gateCells.baseAddress! + channel * bins
            let upRow = upCells.baseAddress! + channel * bins
            var ofGate = Moments()
            var ofUp = Moments()
            for token in 0..<count {
              let (a, b) = (g[token], u[token])
              let product = a * b
              guard a * a < Self.largestSquare, b * b < Self.largestSquare, product * product < Self.largestSquare
              else {
                large.append(token)
                continue
              }
              let (wideA, wideB, wide) = (Double(a), Double(b), Double(product))
              let energy = ExactSums.smallUnits(of: wide * wide)
              let sum = ExactSums.smallUnits(of: wide)
              let gateCell = gateRow + LogarithmicBins.bin(of: a)
              gateCell.pointee.count &+= 1
              gateCell.pointee.energy &+= energy
              gateCell.pointee.sum &+= sum
              let upCell = upRow + LogarithmicBins.bin(of: b)
              upCell.pointee.count &+= 1
              upCell.pointee.energy &+= energy
              upCell.pointee.sum &+= sum
              ofGate.absolute &+= ExactSums.smallUnits(of: wideA.magnitude)
              ofGate.square &+= ExactSums.smallUnits(of: wideA * wideA)
              ofUp.absolute &+= ExactSums.smallUnits(of: wideB.magnitude)
              ofUp.square &+= ExactSums.smallUnits(of: wideB * wideB)
            }
            gateMoments[channel].absolute &+= ofGate.absolute
            gateMoments[channel].square &+= ofGate.square
            upMoments[channel].absolute &+= ofUp.absolute
            upMoments[channel].square &+= ofUp.square
          }
        }
      }
    }
    for token in large { addLarge(channel, gateColumns[column * count + token], upColumns[column * count + token]) }
  }

  /// The same additions in 128 bits, for numbers that are rare.
  private func addLarge(_ channel: Int, _ g: Float, _ u: Float) {
    let product = Double(g * u)
    guard let energy = ExactSums.units(of: product * product), let sum = ExactSums.units(of: product),
      let gateMoments = moments(g), let upMoments = moments(u)
    else {
      sawUnusableNumber = true
      return
    }
    add(to: &total.gate, channel, g, energy, sum, gateMoments)
    add(to: &total.up, channel, u, energy, sum, upMoments)
  }

  private func moments(_ x: Float) -> (absolute: Int128, square: Int128)? {
    guard let absolute = ExactSums.units(of: Double(x.magnitude)),
      let square = ExactSums.units(of: Double(x) * Double(x))
    else { return nil }
    return (absolute, square)
  }

  private func add(
    to factor: inout FactorStatistics, _ channel: Int, _ x: Float, _ energy: Int128, _ sum: Int128,
    _ moments: (absolute: Int128, square: Int128)
  ) {
    let cell = channel * LogarithmicBins.count + LogarithmicBins.bin(of: x)
    factor.count[cell] += 1
    factor.energy.units[cell] += energy
    factor.sum.units[cell] += sum
    factor.absoluteSum.units[channel] += moments.absolute
    factor.squareSum.units[channel] += moments.square
  }

  /// Everything counted so far.
  func finish() -> (gate: FactorStatistics, up: FactorStatistics) {
    flush()
    return total
  }

  private func flush() {
    Self.flush(&gate, &gateMoments, into: &total.gate)
    Self.flush(&up, &upMoments, into: &total.up)
    tokens = 0
  }

  private static func flush(_ cells: inout [Cell], _ moments: inout [Moments], into factor: inout FactorStatistics) {
    for (i, cell) in cells.enumerated() where cell.count > 0 {
      factor.count[i] += cell.count
      factor.energy.units[i] += Int128(cell.energy)
      factor.sum.units[i] += Int128(cell.sum)
      cells[i] = Cell()
    }
    for (i, moment) in moments.enumerated() {
      factor.absoluteSum.units[i] += Int128(moment.absolute)
      factor.squareSum.units[i] += Int128(moment.square)
      moments[i] = Moments()
    }
  }
}
