import Foundation
import LinearAlgebra
import Transformer

// Plain arithmetic.
extension ReferenceToken {
  func activation(_ x: Float) -> Float {
    switch constants.configuration.gateActivation {
    case .silu: x / (1 + exp(-x))
    case .geluTanh: x / 2 * (1 + tanh(0.7978845608 * (x + 0.044715 * x * x * x)))
    }
  }

  func norm(_ x: [Float], _ weight: [Float]) -> [Float] {
    let squares = x.reduce(0) { $0 + $1 * $1 }
    let scale = 1 / (squares / Float(x.count) + constants.configuration.normEpsilon).squareRoot()
    return x.indices.map { x[$0] * scale * weight[$0] }
  }

  /// Each group of 32 rounded to multiples of its greatest magnitude over 127, halves to even.
  func rounded(_ x: [Float]) -> [Float] {
    guard constants.precision == .int8 else { return x }
    return stride(from: 0, to: x.count, by: 32).flatMap { start -> [Float] in
      let group = x[start..<min(start + 32, x.count)]
      let greatest = group.reduce(0) { max($0, $1.magnitude) }
      guard group.allSatisfy(\.isFinite) else { return group.map { _ in .nan } }
      let (scale, inverse) = (greatest / 127, 127 / greatest)
      return group.map { inverse.isFinite ? ($0 * inverse).rounded(.toNearestOrEven) * scale : 0 }
    }
  }

  /// Norms each head where the architecture does, then turns it by its position.
  func turn(_ x: inout [Float], heads: Int, _ weight: [Float]?, _ rotary: RotaryTable) {
    let width = constants.configuration.headDimension
    let half = width / 2
    let cosines = rotary.cosines(at: position)
    let sines = rotary.sines(at: position)
    for start in stride(from: 0, to: heads * width, by: width) {
      if let weight { x.replaceSubrange(start..<start + width, with: norm(Array(x[start..<start + width]), weight)) }
      for i in 0..<half {
        let (a, b) = (x[start + i], x[start + half + i])
        x[start + i] = a * cosines[i] - b * sines[i]
        x[start + half + i] = b * cosines[i] + a * sines[i]
      }
    }
  }

  func add(_ bias: [Float]?, to x: [Float]) -> [Float] {
    guard let bias else { return x }
    return zip(x, bias).map { $0 + $1 }
  }

  /// `W x` for a matrix with one row an output.
  func outputs(_ matrix: Matrix, _ x: [Float]) -> [Float] {
    (0..<matrix.rows).map { dot(matrix, row: $0, x) }
  }

  /// `W x` for a matrix with one row an input, reading the rows of kept inputs only.
  func inputs(_ matrix: Matrix, _ x: [Float], _ kept: [Bool]) -> [Float] {
    var y = [Float](repeating: 0, count: matrix.columns)
    for input in x.indices where kept[input] {
      let row = matrix.row(input)
      for i in y.indices { y[i] += x[input] * row[i] }
    }
    return y
  }

  func dot(_ matrix: Matrix, row: Int, _ x: [Float]) -> Float {
    let weights = matrix.row(row)
    var sum: Float = 0
    for i in x.indices { sum += weights[i] * x[i] }
    return sum
  }
}

extension Matrix {
  func elements(row index: Int) -> [Float] { Array(UnsafeBufferPointer(start: row(index), count: columns)) }
}
