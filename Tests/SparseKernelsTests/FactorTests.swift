import Foundation
import SparseKernels
import TestSupport
import Testing

/// Channels whose source differs, and the second cut.
struct FactorTests {
  @Test(arguments: InstructionSet.supported, ProductForm.all)
  func eachChannelHasItsOwnSource(_ set: InstructionSet, _ form: ProductForm) throws {
    let kernels = SparseKernels(set)
    var numbers = RandomNumbers(seed: 11)
    for (channels, columns) in [(1, 1), (64, 8), (65, 40), (200, 33), (129, 300)] {
      let gate = try Problem(rows: channels, columns: columns, form, set, density: 1, &numbers)
      let up = try GuardedMatrix(
        numbers.normals(channels * columns), rows: channels, columns: columns, form.type)
      // Anything but 0 means the up projection.
      let source = (0..<channels).map { $0 % 3 == 0 ? UInt8(0) : UInt8($0 & 255) }
      let u = (0..<channels).map { channel in
        var sum = ExactSum()
        for column in 0..<columns { up.add(row: channel, column: column, times: gate.multiplied[column], to: &sum) }
        return Factor(sum) { $0 }
      }
      for activation in KernelActivation.allCases {
        let g = (0..<channels).map { Factor(gate.dot($0), activation.value) }
        let deciding = source.indices.map { source[$0] == 0 ? g[$0] : u[$0] }
        let keep = source.map { _ in Bool.random(using: &numbers) }
        let thresholds = try GuardedFloats(zip(deciding, keep).map { $0.threshold(keeps: $1) })

        let list = KeptList(channels: channels)
        source.withUnsafeBufferPointer { source in
          let factors = FactorMatrices(gate: gate.weights, up: up.weights, activation, upDecides: source)
          list.join(
            randomParts(channels, &numbers).map {
              kernels.decide(factors, gate.x, thresholds.readable, channels: $0, into: list)
            })
          #expect(list.keptChannels == keep.indices.filter { keep[$0] })
          for (channel, value) in zip(list.keptChannels, list.keptValues) {
            #expect(abs(Double(value) - deciding[channel].value) <= deciding[channel].tolerance)
          }
          for part in randomParts(list.count, &numbers) {
            kernels.complete(factors, gate.x, list, positions: part)
          }
        }
        for (channel, value) in zip(list.keptChannels, list.keptValues) {
          let product = g[channel].value * u[channel].value
          #expect(abs(Double(value) - product) <= g[channel].tolerance(times: u[channel]) + 1e-7 * abs(product))
        }
      }
    }
  }

  @Test func secondCutMovesWhatIsLeftTogether() throws {
    let kernels = SparseKernels(.scalar)
    let list = KeptList(channels: 8)
    let x = try GuardedFloats([5, -2, 3, .nan, 1, -8, 4, .infinity])
    let none = try GuardedFloats([-1])
    list.join([kernels.select(x.readable, none.readable, channels: 0..<8, into: list)])
    #expect(list.keptChannels == [0, 1, 2, 4, 5, 6, 7])

    // Positions 1 ..< 6 are channels 1, 2, 4, 5 and 6.
    let thresholds = try GuardedFloats([9, 2, 3.5, 0, 0.5, .nan, 4, 0])
    let left = kernels.prune(list, positions: 1..<6, thresholds.readable)
    #expect(left == 1..<4)
    list.join([0..<1, left, 6..<7])
    #expect(list.keptChannels == [0, 1, 4, 6, 7])
    #expect(list.keptValues == [5, -2, 1, 4, .infinity])
    #expect(kernels.prune(list, positions: 2..<2, thresholds.readable).isEmpty)
  }
}

/// A factor of a channel in double precision, and how far float32 may lie from it.
private struct Factor {
  let value: Double
  let tolerance: Double

  init(_ sum: ExactSum, _ function: (Double) -> Double) {
    value = function(sum.value)
    // Both activations' slopes stay below 1.13.
    tolerance = 1.2 * sum.tolerance + 1e-6 * max(1, abs(value))
  }

  /// One that rounding does not cross.
  func threshold(keeps: Bool) -> Float {
    Float(keeps ? abs(value) * 0.99 - 1e-4 : abs(value) * 1.01 + 1e-4)
  }

  func tolerance(times other: Factor) -> Double {
    abs(value) * other.tolerance + abs(other.value) * tolerance + tolerance * other.tolerance
  }
}
