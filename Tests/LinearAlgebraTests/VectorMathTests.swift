import Foundation
import TestSupport
import Testing

@testable import LinearAlgebra

/// Every function beside the same in `Double`, over lengths around the sixteen lanes of a vector.
struct VectorMathTests {
  static let lengths = [1, 2, 15, 16, 17, 31, 33, 320]

  enum Activation: CaseIterable, Sendable {
    case silu, geluTanh

    func apply(_ x: inout [Float]) {
      switch self {
      case .silu: VectorMath.silu(&x, count: x.count)
      case .geluTanh: VectorMath.geluTanh(&x, count: x.count)
      }
    }

    func expected(_ x: Float) -> Double {
      let x = Double(x)
      return switch self {
      case .silu: x / (1 + exp(-x))
      case .geluTanh: x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
      }
    }
  }

  @Test(arguments: Activation.allCases, lengths)
  func activationOfOrdinaryNumbers(_ activation: Activation, count: Int) {
    var numbers = RandomNumbers(seed: 3)
    let input = numbers.normals(count, deviation: 3)
    var x = input
    activation.apply(&x)
    for (input, value) in zip(input, x) { expectClose(value, activation.expected(input)) }
  }

  @Test(arguments: Activation.allCases)
  func activationOfExtremes(_ activation: Activation) {
    let input: [Float] = [
      0, .leastNonzeroMagnitude, 87.2, 88.3, 89, 1e4, 3e38, -87.2, -88.5, -89, -1e4, -1e20, -3e38,
    ]
    var x = input
    activation.apply(&x)
    for (input, value) in zip(input, x) { expectClose(value, activation.expected(input)) }
  }

  @Test(arguments: Activation.allCases, lengths)
  func activationOfNoNumberIsNone(_ activation: Activation, count: Int) {
    var x = [Float](repeating: 1, count: count)
    x[count - 1] = .nan
    activation.apply(&x)
    #expect(x[count - 1].isNaN && x.dropLast().allSatisfy(\.isFinite))
  }

  @Test(arguments: lengths, [Float(0.01), 1, 30])
  func softmax(count: Int, scale: Float) {
    var numbers = RandomNumbers(seed: 4)
    let input = numbers.normals(count, deviation: 4)
    var x = input
    VectorMath.softmax(&x, count: count, scale: scale)
    let powers = exponentials(input, scale: Double(scale))
    let total = powers.reduce(0, +)
    for (value, power) in zip(x, powers) { expectClose(value, power / total) }
  }

  @Test func softmaxIsFiniteHoweverLargeItsInput() {
    var x: [Float] = [3e38, -3e38, 3e38, 0]
    VectorMath.softmax(&x, count: 4, scale: 1)
    #expect(x == [0.5, 0, 0.5, 0])
  }

  @Test(arguments: lengths)
  func softmaxWithNoNumberIsNone(count: Int) {
    var x = [Float](repeating: 1, count: count)
    x[count / 2] = .nan
    VectorMath.softmax(&x, count: count, scale: 1)
    #expect(x.allSatisfy { $0.isNaN })
  }

  @Test(arguments: lengths, [Float(0), 1000, -1000])
  func logSumExp(count: Int, offset: Float) {
    var numbers = RandomNumbers(seed: 5)
    let x = numbers.normals(count, deviation: 5).map { $0 + offset }
    let top = Double(x.max() ?? 0)
    let expected = top + log(x.reduce(0) { $0 + exp(Double($1) - top) })
    expectClose(VectorMath.logSumExp(x, count: count), expected)
  }

  @Test(arguments: lengths)
  func klDivergence(count: Int) {
    var numbers = RandomNumbers(seed: 6)
    let (p, q) = (numbers.normals(count, deviation: 2), numbers.normals(count, deviation: 2))
    let (ofP, ofQ) = (exponentials(p), exponentials(q))
    let (sumP, sumQ) = (ofP.reduce(0, +), ofQ.reduce(0, +))
    let expected = zip(ofP, ofQ).reduce(0) { $0 + $1.0 / sumP * log($1.0 / sumP / ($1.1 / sumQ)) }
    #expect((VectorMath.klDivergence(p, q, count: count) - expected).magnitude < 1e-5)
    #expect(VectorMath.klDivergence(p, p, count: count) == 0)
  }

  @Test(arguments: lengths)
  func rmsNorm(count: Int) {
    var numbers = RandomNumbers(seed: 7)
    let (x, weight) = (numbers.normals(count), numbers.normals(count))
    var out = [Float](repeating: 0, count: count)
    VectorMath.rmsNorm(x, weight: weight, epsilon: 0.01, into: &out)
    let mean = x.reduce(0) { $0 + Double($1) * Double($1) } / Double(count)
    for i in 0..<count { expectClose(out[i], Double(x[i]) / (mean + 0.01).squareRoot() * Double(weight[i])) }
  }

  @Test(arguments: lengths)
  func sumsAndProducts(count: Int) {
    var numbers = RandomNumbers(seed: 8)
    let (a, b) = (numbers.normals(count), numbers.normals(count))
    var product = [Float](repeating: 0, count: count)
    VectorMath.multiply(a, b, into: &product, count: count)
    #expect(product == zip(a, b).map { $0 * $1 })
    var sum = a
    VectorMath.add(b, to: &sum)
    #expect(sum == zip(a, b).map { $0 + $1 })
  }

  @Test(arguments: [1, 6, 16, 33])
  func rotationTurnsPairsThatLieHalfARowApart(half: Int) {
    var numbers = RandomNumbers(seed: 9)
    let (x, angles) = (numbers.normals(2 * half), numbers.normals(half))
    var turned = x
    VectorMath.rotateHalf(&turned, cosine: angles.map { cos($0) }, sine: angles.map { sin($0) }, half: half)
    for i in 0..<half {
      let (a, b, angle) = (Double(x[i]), Double(x[i + half]), Double(angles[i]))
      expectClose(turned[i], a * cos(angle) - b * sin(angle))
      expectClose(turned[i + half], b * cos(angle) + a * sin(angle))
    }
  }

  private func exponentials(_ x: [Float], scale: Double = 1) -> [Double] {
    let top = Double(x.max() ?? 0)
    return x.map { exp((Double($0) - top) * scale) }
  }

  /// Within float32's rounding of a few operations, relative to numbers above 1.
  private func expectClose(_ value: Float, _ expected: Double, sourceLocation: SourceLocation = #_sourceLocation) {
    let difference = (Double(value) - expected).magnitude
    #expect(difference <= 2e-6 * max(1, expected.magnitude), sourceLocation: sourceLocation)
  }
}
