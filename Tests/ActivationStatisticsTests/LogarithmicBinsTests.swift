import ActivationStatistics
import TestSupport
import Testing

struct LogarithmicBinsTests {
  @Test func edgesAscendAndEachBeginsItsBin() {
    let edges = LogarithmicBins.edges
    #expect(edges.count == LogarithmicBins.count + 1)
    #expect(zip(edges, edges.dropFirst()).allSatisfy(<))
    #expect(
      edges[0] == 0 && edges[1] == 0x1p-16 && edges[edges.count - 2] == 0x1p10 && edges[edges.count - 1] == .infinity)
    for (bin, edge) in edges.dropLast().enumerated() {
      #expect(Double(Float(edge)) == edge)
      #expect(LogarithmicBins.bin(of: Float(edge)) == bin)
      if bin > 0 { #expect(LogarithmicBins.bin(of: Float(edge).nextDown) == bin - 1) }
    }
  }

  @Test func binIsTheOneThatALinearSearchFinds() {
    var numbers = RandomNumbers(seed: 1)
    for _ in 0..<3000 {
      let x = Float(bitPattern: UInt32(truncatingIfNeeded: numbers.next()))
      guard x.isFinite else { continue }
      let expected = LogarithmicBins.edges.lastIndex { $0 <= Double(x.magnitude) }
      #expect(LogarithmicBins.bin(of: x) == expected)
      #expect(LogarithmicBins.bin(of: -x) == expected)
    }
  }

  @Test(arguments: [
    (Float(0), 0), (-0, 0), (.leastNonzeroMagnitude, 0), (.leastNormalMagnitude, 0),
    (.greatestFiniteMagnitude, 209), (.infinity, 209), (-.infinity, 209), (.nan, 209), (-.nan, 209),
  ])
  func binOfExtremes(x: Float, expected: Int) {
    #expect(LogarithmicBins.count == 210)
    #expect(LogarithmicBins.bin(of: x) == expected)
  }
}
