import SparseKernels
import TestSupport
import Testing

/// What is made of a vector for quantised weights.
struct InputTests {
  @Test(arguments: InstructionSet.supported, [0, 1, 31, 32, 33, 576, 1000])
  func roundingFollowsTheRule(_ set: InstructionSet, count: Int) {
    var numbers = RandomNumbers(seed: 3)
    let x = KernelInput(count: count, .int8)
    for deviation in [1, 1e-30, 1e30] {
      _ = x.elements.update(fromContentsOf: numbers.normals(count, deviation: deviation))
      SparseKernels(set).prepare(x)
      #expect(x.roundedElements.map(\.bitPattern) == rounded(Array(x.elements)).map(\.bitPattern))
    }
  }

  @Test(arguments: InstructionSet.supported)
  func halvesGoToTheEvenCode(_ set: InstructionSet) {
    // The largest makes a code worth exactly one.
    let x = KernelInput(count: 6, .int8)
    _ = x.elements.update(fromContentsOf: [127, 0.5, 1.5, -0.5, -1.5, 2.5])
    SparseKernels(set).prepare(x)
    #expect(x.roundedElements == [127, 0, 2, 0, -2, 2])
  }

  @Test(arguments: InstructionSet.supported)
  func zerosAndTheSmallestNumbersRoundToZero(_ set: InstructionSet) {
    let x = KernelInput(count: 64, .int8)
    x.elements[40] = .leastNonzeroMagnitude
    SparseKernels(set).prepare(x)
    #expect(x.roundedElements.allSatisfy { $0 == 0 })
  }

  @Test(arguments: InstructionSet.supported, [Float.nan, .infinity, -.infinity])
  func whatIsNotFiniteSpoilsItsGroupOnly(_ set: InstructionSet, value: Float) {
    let x = KernelInput(count: 96, .int8)
    for index in 0..<96 { x.elements[index] = 1 }
    x.elements[50] = value
    SparseKernels(set).prepare(x)
    #expect(x.roundedElements[32..<64].allSatisfy { $0.isNaN })
    #expect((x.roundedElements[..<32] + x.roundedElements[64...]).allSatisfy { $0 == 1 })
  }

  @Test func exactInputStaysAsItIs() {
    let x = KernelInput(count: 3, .exact)
    _ = x.elements.update(fromContentsOf: [0.1, .infinity, -7])
    SparseKernels(.scalar).prepare(x)
    #expect(x.roundedElements == [0.1, .infinity, -7])
  }

  /// The rule by its letter.
  private func rounded(_ x: [Float]) -> [Float] {
    x.indices.map { index in
      let group = x[index / 32 * 32..<min(index / 32 * 32 + 32, x.count)]
      let largest = group.map(abs).max() ?? 0
      let inverse = largest > 0 ? 127 / largest : 0
      // An integer has no negative zero.
      return Float(Int((x[index] * inverse).rounded(.toNearestOrEven))) * (largest / 127)
    }
  }
}
