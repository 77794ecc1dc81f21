import Foundation
import SparseKernels
import TestSupport
import Testing

/// What the fused gate step and the selection keep.
struct KeepingTests {
  @Test(arguments: InstructionSet.supported, ProductForm.all)
  func gateKeepsWhatReachesItsThreshold(_ set: InstructionSet, _ form: ProductForm) throws {
    let kernels = SparseKernels(set)
    try Problem.each(form, set) { problem, numbers in
      let rows = problem.weights.rows
      for activation in KernelActivation.allCases {
        let g = (0..<rows).map { activation.value(problem.dot($0).value) }
        let keep = g.map { _ in Bool.random(using: &numbers) }
        // No threshold is so near that rounding decides.
        let thresholds = try GuardedFloats(
          zip(g, keep).map { g, keep in Float(keep ? abs(g) * 0.99 - 1e-4 : abs(g) * 1.01 + 1e-4) })
        let list = KeptList(channels: rows)
        list.join(
          randomParts(rows, &numbers).map {
            kernels.gate(problem.weights, problem.x, activation, thresholds.readable, rows: $0, into: list)
          })
        #expect(list.keptChannels == keep.indices.filter { keep[$0] })
        for (channel, value) in zip(list.keptChannels, list.keptValues) {
          // Both activations' slopes stay below 1.13.
          let tolerance = 1.2 * problem.dot(channel).tolerance + 1e-6 * max(1, abs(g[channel]))
          #expect(abs(Double(value) - g[channel]) <= tolerance)
        }
      }
    }
  }

  @Test(arguments: InstructionSet.supported, KernelActivation.allCases)
  func gateNeverKeepsWhatIsNotANumber(_ set: InstructionSet, _ activation: KernelActivation) throws {
    let kernels = SparseKernels(set)
    let rows: [Float] = [.nan, .infinity, -.infinity, 3, 0, 3, 3]
    let limits = try GuardedFloats([0, 1e30, 0, 0, 0, .nan, .infinity])
    let one = KernelInput([1], .exact, set)
    let matrix = try GuardedMatrix(rows, rows: rows.count, columns: 1, .float32)
    let list = KeptList(channels: rows.count)
    let part = kernels.gate(
      matrix.weights, one, activation, limits.readable, rows: 0..<rows.count, into: list)
    list.join([part])
    // Of minus infinity both activations make infinity times zero.
    #expect(list.keptChannels == [1, 3, 4])
    #expect(list.keptValues[0] == .infinity)
  }

  @Test(arguments: [1, 7])
  func selectionKeepsEqualMagnitudesWithTheirSign(thresholdCount: Int) throws {
    let x = try GuardedFloats([2, -2, 1.9999999, .nan, -.infinity, 0, -3])
    let thresholds = try GuardedFloats([Float](repeating: 2, count: thresholdCount))
    let list = KeptList(channels: 7)
    let kernels = SparseKernels(.scalar)
    list.join([0..<3, 3..<3, 3..<7].map { kernels.select(x.readable, thresholds.readable, channels: $0, into: list) })
    #expect(list.keptChannels == [0, 1, 4, 6])
    #expect(list.keptValues == [2, -2, -.infinity, -3])
  }

  @Test func emptyVectorKeepsNothing() throws {
    let list = KeptList(channels: 0)
    let nothing = UnsafeBufferPointer<Float>(start: nil, count: 0)
    let kernels = SparseKernels(.scalar)
    list.join([kernels.select(nothing, nothing, channels: 0..<0, into: list)])
    #expect(list.count == 0)
    list.join([kernels.select(nothing, from: -.infinity, channels: 0..<0, into: list)])
    #expect(list.count == 0)
    #expect(kernels.greatest(nothing, 0..<0) == -.infinity)
  }

  @Test func selectionByValueMindsTheSign() throws {
    let x = try GuardedFloats([2, -2, 1.9999999, .nan, .infinity, 0, -3, -.infinity])
    let list = KeptList(channels: 8)
    let kernels = SparseKernels(.scalar)
    func selected(from least: Float) -> [Int] {
      list.join([0..<3, 3..<3, 3..<8].map { kernels.select(x.readable, from: least, channels: $0, into: list) })
      #expect(list.keptValues.allSatisfy { $0 == 1 })
      return list.keptChannels
    }
    #expect(selected(from: 2) == [0, 4])
    #expect(selected(from: -2) == [0, 1, 2, 4, 5])
    #expect(selected(from: -.infinity) == [0, 1, 2, 4, 5, 6, 7])
    #expect(selected(from: .infinity) == [4])
    #expect(selected(from: .nan) == [])
  }

  /// Whole blocks of lanes and what is behind them, wherever the greatest is.
  @Test(arguments: [1, 15, 16, 17, 100])
  func greatestIsFoundAmongWhatIsNoNumber(count: Int) throws {
    let kernels = SparseKernels(.scalar)
    for place in 0..<count {
      let values = (0..<count).map { $0 == place ? -1 : $0 % 3 == 0 ? Float.nan : -2 - Float($0) }
      let x = try GuardedFloats(values)
      #expect(kernels.greatest(x.readable, 0..<count) == -1)
      #expect(kernels.greatest(x.readable, place..<count) == -1)
      #expect(kernels.greatest(x.readable, 0..<place) < -1)
    }
    let nothing = try GuardedFloats([Float](repeating: .nan, count: count))
    #expect(kernels.greatest(nothing.readable, 0..<count) == -.infinity)
  }
}

extension KernelActivation {
  /// In double precision.
  func value(_ x: Double) -> Double {
    switch self {
    case .silu: x / (1 + exp(-x))
    case .geluTanh: x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }
  }
}
