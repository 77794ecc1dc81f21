extension MatrixProduct {
  /// Operations a second of large square products on all threads at once: the best of several rounds.
  package static func peakRate(threads: Int) throws -> Double {
    let size = 1024
    let matrices = (0..<threads).map { _ in
      (0..<3).map { _ in Matrix(rows: size, columns: size, values: [Float](repeating: 0.5, count: size * size)) }
    }
    let products = 4
    let clock = ContinuousClock()
    let rounds = try (0..<6).map { _ in
      try clock.measure {
        try forEachIndex(below: threads, threads: threads) { _, thread in
          let m = matrices[thread]
          for _ in 0..<products { multiply(m[0].view, transposed: m[1].view, into: m[2].view) }
        }
      }
    }
    let operations = Double(threads * products) * 2 * Double(size * size * size)
    return operations / ((rounds.min() ?? .zero) / .seconds(1))
  }
}
