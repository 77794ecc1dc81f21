import Foundation

extension SparseKernels {
  package func attend(
    _ q: UnsafePointer<Float>, keys: UnsafePointer<Float>, values: UnsafePointer<Float>, positions: Int, stride: Int,
    width: Int, scores: UnsafeMutablePointer<Float>, into out: UnsafeMutablePointer<Float>
  ) {
    let scale = 1 / Float(width).squareRoot()
    var top = -Float.infinity
    for p in 0..<positions {
      var s: Float = 0
      for i in 0..<width { s += q[i] * keys[p * stride + i] }
      scores[p] = s * scale
      top = max(top, s * scale)
    }
    var total: Float = 0
    for p in 0..<positions {
      scores[p] = exp(scores[p] - top)
      total += scores[p]
    }
    for i in 0..<width { out[i] = 0 }
    for p in 0..<positions {
      let w = scores[p] / total
      for i in 0..<width { out[i] += w * values[p * stride + i] }
    }
  }
}
