import CVectorMath

/// Elementwise arithmetic on rows of float32, vectorised for the processor it runs on.
package enum VectorMath {
  /// `x ← x · sigmoid(x)`
  package static func silu(_ x: UnsafeMutablePointer<Float>, count: Int) { gambit_silu(x, count) }

  /// `x ← gelu(x)`, in its tanh form.
  package static func geluTanh(_ x: UnsafeMutablePointer<Float>, count: Int) { gambit_gelu_tanh(x, count) }

  /// `out ← a ⊙ b`
  package static func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, count: Int
  ) {
    gambit_multiply(out, a, b, count)
  }

  /// `x ← x + bias`
  package static func add(_ bias: [Float], to x: UnsafeMutablePointer<Float>) {
    gambit_add(x, bias, bias.count)
  }

  /// `x ← x + y`
  package static func add(_ y: UnsafePointer<Float>, to x: UnsafeMutablePointer<Float>, count: Int) {
    gambit_add(x, y, count)
  }

  /// `x ← factor · x`
  package static func scale(_ x: UnsafeMutablePointer<Float>, by factor: Float, count: Int) {
    guard factor != 1 else { return }
    for i in 0..<count { x[i] *= factor }
  }

  /// `out ← x / sqrt(mean(x²) + epsilon) ⊙ weight`
  package static func rmsNorm(
    _ x: UnsafePointer<Float>, weight: [Float], epsilon: Float, into out: UnsafeMutablePointer<Float>
  ) {
    gambit_rms_norm(out, x, weight, weight.count, epsilon)
  }

  /// `x ← softmax(scale · x)`
  package static func softmax(_ x: UnsafeMutablePointer<Float>, count: Int, scale: Float) {
    gambit_softmax(x, count, scale)
  }

  /// `log Σ exp(x)`
  package static func logSumExp(_ x: UnsafePointer<Float>, count: Int) -> Float { gambit_log_sum_exp(x, count) }

  /// KL(p‖q) in nats of the distributions whose logits are given.
  package static func klDivergence(_ p: UnsafePointer<Float>, _ q: UnsafePointer<Float>, count: Int) -> Double {
    gambit_kl_divergence(p, q, count)
  }

  /// Rotates the pairs `(x[i], x[i + half])`.
  package static func rotateHalf(
    _ x: UnsafeMutablePointer<Float>, cosine: UnsafePointer<Float>, sine: UnsafePointer<Float>, half: Int
  ) {
    gambit_rotate_half(x, cosine, sine, half)
  }
}
