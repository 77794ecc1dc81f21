import TestSupport
import Testing

@testable import Histograms

/// The kernels beside plain loops.
struct HistogramsTests {
  // Eight bins an octave from 2⁻⁴ to 2⁴, one below and one above.
  private let scheme = BinScheme(shift: 20, first: (127 - 4) << 3 - 1, count: 66)

  private func bin(_ x: Float) -> Int { min(max(Int(x.magnitude.bitPattern >> 20) - ((127 - 4) << 3 - 1), 0), 65) }

  @Test(arguments: [1, 7, 16, 17, 50], [1, 3, 8, 33])
  func magnitudesAreCountedAsByAPlainLoop(channels: Int, tokens: Int) {
    var numbers = RandomNumbers(seed: 5)
    let x = numbers.normals(channels * tokens, deviation: 4)
    var counts = [Int64](repeating: 0, count: channels * 66)
    let finite = MagnitudeHistograms.add(x, tokens: tokens, channels: channels, scheme, into: &counts)
    #expect(finite)
    var expected = [Int64](repeating: 0, count: channels * 66)
    for (i, value) in x.enumerated() { expected[i % channels * 66 + bin(value)] += 1 }
    #expect(counts == expected)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func whatIsNotFiniteIsReported(x: Float) {
    var counts = [Int64](repeating: 0, count: 3 * 66)
    let finite = MagnitudeHistograms.add([1, x, 2], tokens: 1, channels: 3, scheme, into: &counts)
    #expect(!finite)
  }

  @Test(arguments: [1, 5, 255, 256, 257, 600])
  func factorsAreCountedAsByAPlainLoop(tokens: Int) {
    var numbers = RandomNumbers(seed: 6)
    let (g, u) = (numbers.normals(tokens), numbers.normals(tokens))
    var histograms = FactorHistograms(channels: 2, scheme, limit: 32, scale: 0x1p40)
    let counted = histograms.add(channel: 1, gate: g, up: u, tokens: tokens)
    #expect(counted)

    func units(_ x: Double) -> Int64 { Int64((x * 0x1p40).rounded(.toNearestOrEven)) }
    var cells = [Int: (count: Int64, energy: Int64, sum: Int64)]()
    var products = [Int64](repeating: 0, count: 2 * 66)
    for i in 0..<tokens {
      let product = g[i] * u[i]
      let cell = cells[bin(g[i])] ?? (0, 0, 0)
      let wide = Double(product)
      cells[bin(g[i])] = (cell.count + 1, cell.energy + units(wide * wide), cell.sum + units(wide))
      products[66 + bin(product)] += 1
    }
    for (bin, cell) in cells {
      let found = histograms.gate[66 + bin]
      #expect(found.count == cell.count && found.energy == cell.energy && found.sum == cell.sum)
    }
    #expect(histograms.product == products)
    #expect(histograms.gate[..<66].allSatisfy { $0.count == 0 })
    #expect(histograms.upMoments[1].square == u.reduce(0) { $0 + units(Double($1) * Double($1)) })
  }

  @Test(arguments: [Float.nan, 32, -1e30])
  func aBlockWithALargeNumberIsLeftAlone(x: Float) {
    var histograms = FactorHistograms(channels: 1, scheme, limit: 32, scale: 0x1p40)
    let counted = histograms.add(channel: 0, gate: [1, 2], up: [1, x], tokens: 2)
    #expect(!counted)
    #expect(histograms.gate.allSatisfy { $0.count == 0 } && histograms.product.allSatisfy { $0 == 0 })
  }

  @Test(arguments: [1, 7, 8, 19, 64], [1, 8, 13, 16])
  func gatheringExchangesRowsAndColumns(tokens: Int, width: Int) {
    let stride = width + 3
    let x = (0..<tokens * stride).map(Float.init)
    var columns = [Float](repeating: -1, count: tokens * width)
    gatherChannels(x, tokens: tokens, stride: stride, width: width, into: &columns)
    for t in 0..<tokens { for c in 0..<width { #expect(columns[c * tokens + t] == x[t * stride + c]) } }
  }
}
