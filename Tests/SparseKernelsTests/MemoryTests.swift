import Foundation
import SparseKernels
import TestSupport
import Testing

/// Attention over cached rows, and reading at full speed.
struct MemoryTests {
  @Test(
    arguments: InstructionSet.supported,
    [(0, 64, 0), (1, 64, 3), (7, 8, 0), (8, 64, 128), (9, 1, 0), (100, 96, 5), (333, 65, 0)])
  func attentionIsTheSoftmaxWeightedSum(_ set: InstructionSet, _ shape: (Int, Int, Int)) throws {
    let (positions, width, gap) = shape
    let stride = width + gap
    var numbers = RandomNumbers(seed: 5)
    // The last row has no gap behind it: what lies there is not the head's.
    let count = max(0, positions * stride - gap)
    let (q, keys) = (try GuardedFloats(numbers.normals(width)), try GuardedFloats(numbers.normals(count)))
    let values = try GuardedFloats(numbers.normals(count))
    let scores = try GuardedFloats([Float](repeating: .nan, count: positions))
    let out = try GuardedFloats([Float](repeating: .nan, count: width))
    let scale = 1 / Float(width).squareRoot()
    SparseKernels(set).attend(
      try #require(q.readable.baseAddress), keys: try #require(keys.readable.baseAddress),
      values: try #require(values.readable.baseAddress), positions: positions, stride: stride, width: width,
      scale: scale, scores: try #require(scores.buffer.baseAddress), into: try #require(out.buffer.baseAddress))

    let logits = (0..<positions).map { position in
      (0..<width).map { Double(q.buffer[$0]) * Double(keys.buffer[position * stride + $0]) }.reduce(0, +)
        * Double(scale)
    }
    let weights = logits.map { exp($0 - (logits.max() ?? 0)) }
    let total = weights.reduce(0, +)
    for position in 0..<positions {
      // A logit's own rounding moves its exponential by as much.
      #expect(abs(Double(scores.buffer[position]) - weights[position] / total) <= 1e-5 * weights[position] / total)
    }
    for index in 0..<width {
      let exact = (0..<positions).map { weights[$0] / total * Double(values.buffer[$0 * stride + index]) }
      #expect(abs(Double(out.buffer[index]) - exact.reduce(0, +)) <= 1e-5)
    }
  }

  @Test(arguments: InstructionSet.supported)
  func hugeLogitsNeitherOverflowNorVanish(_ set: InstructionSet) throws {
    let keys = try GuardedFloats([1e30, -1e30, 1e30])
    let values = try GuardedFloats([2, 5, 4])
    let scores = try GuardedFloats([0, 0, 0])
    let (q, out) = (try GuardedFloats([1e5]), try GuardedFloats([0]))
    SparseKernels(set).attend(
      try #require(q.readable.baseAddress), keys: try #require(keys.readable.baseAddress),
      values: try #require(values.readable.baseAddress), positions: 3, stride: 1, width: 1, scale: 1,
      scores: try #require(scores.buffer.baseAddress), into: try #require(out.buffer.baseAddress))
    #expect(scores.values == [0.5, 0, 0.5])
    #expect(out.values == [3])
  }

  @Test(arguments: InstructionSet.supported)
  func aKeyThatIsNotANumberIsNotHidden(_ set: InstructionSet) throws {
    let keys = try GuardedFloats([Float](repeating: 1, count: 19) + [.nan])
    let scores = try GuardedFloats([Float](repeating: 0, count: 20))
    let (q, out) = (try GuardedFloats([1]), try GuardedFloats([0]))
    let pointer = try #require(keys.readable.baseAddress)
    SparseKernels(set).attend(
      try #require(q.readable.baseAddress), keys: pointer, values: pointer, positions: 20, stride: 1, width: 1,
      scale: 1, scores: try #require(scores.buffer.baseAddress), into: try #require(out.buffer.baseAddress))
    #expect(out.values[0].isNaN)
  }

  @Test(arguments: InstructionSet.supported, [0, 1, 31, 32, 33, 65_536, 65_537, 200_000])
  func allBytesAreSummed(_ set: InstructionSet, count: Int) throws {
    var numbers = RandomNumbers(seed: 9)
    let memory = try GuardedMemory(count: count)
    for index in 0..<count { memory.bytes[index] = UInt8.random(in: 0...255, using: &numbers) }
    let exact = memory.bytes.reduce(into: UInt64(0)) { $0 += UInt64($1) }
    #expect(SparseKernels(set).sumBytes(UnsafeRawBufferPointer(memory.bytes)) == exact)
  }
}
