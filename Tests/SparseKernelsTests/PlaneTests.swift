import Foundation
import SparseKernels
import TestSupport
import Testing

/// Weights in two planes: what they add up to, how channels are graded, and what refining adds.
struct PlaneTests {
  /// All scales are powers of two, so that nothing is ever rounded: sums are those of integers, whatever their order.
  @Test(arguments: InstructionSet.supported, ActivationPrecision.allCases)
  func planesAddUpToTheProductOfIntegers(_ set: InstructionSet, _ precision: ActivationPrecision) throws {
    let kernels = SparseKernels(set)
    var numbers = RandomNumbers(seed: 17)
    for (channels, columns) in [(1, 1), (3, 31), (4, 32), (33, 33), (20, 64), (9, 70), (5, 257), (40, 300)] {
      let rows = 2 * channels
      let xCodes = codes(columns, &numbers)
      let weightCodes = (0..<rows).map { _ in codes(columns, &numbers) }
      let weights = weightCodes.flatMap { row in row.map { Float($0) * 0x1p-4 } }
      let high = try GuardedMatrix(weights, rows: rows, columns: columns, .highNibbles)
      let low = try GuardedMatrix(weights, rows: rows, columns: columns, .lowNibbles)
      let x = KernelInput(xCodes.map { Float($0) * 0x1p-3 }, precision, set)

      let sums = try GuardedFloats([Float](repeating: .nan, count: rows))
      kernels.gemv(high.weights, x, into: sums.buffer, rows: 0..<rows)
      let list = try KeptList([Bool](repeating: true, count: channels))
      kernels.refine(low.weights, x, .silu, list, positions: 0..<channels, sums: sums.buffer)
      for row in 0..<rows {
        let product = (0..<columns).reduce(0) { $0 + weightCodes[row][$1] * xCodes[$1] }
        #expect(sums.buffer[row] == Float(product) * 0x1p-7)
      }

      let inputs = try KeptList([Bool](repeating: true, count: rows))
      let y = try GuardedFloats([Float](repeating: 0, count: columns))
      for plane in [high, low] {
        kernels.spvmm(plane.weights, inputs, positions: 0..<rows, into: y.buffer, columns: 0..<columns)
      }
      let (start, rest) = (try GuardedFloats(y.values), try GuardedFloats(y.values))
      kernels.copyRow(rows - 1, of: high.weights, into: start.buffer)
      kernels.copyRow(rows - 1, of: low.weights, into: rest.buffer)
      for column in 0..<columns {
        let sum = weightCodes.reduce(0) { $0 + $1[column] }
        #expect(y.buffer[column] == Float(sum) * 0x1p-4)
        #expect(start.buffer[column] + rest.buffer[column] == weights[(rows - 1) * columns + column])
      }
    }
  }

  /// An output head that is read on demand: what is listed comes out as if everything were read, to the last bit.
  @Test(arguments: InstructionSet.supported, ProductForm.all.filter { [.lowNibbles, .lowBytes].contains($0.type) })
  func listedRowsAreAddedAlone(_ set: InstructionSet, _ form: ProductForm) throws {
    let kernels = SparseKernels(set)
    var numbers = RandomNumbers(seed: 23)
    for (rows, columns) in [(1, 1), (7, 33), (40, 64), (600, 70)] {
      let weights = numbers.normals(rows * columns)
      let low = try GuardedMatrix(weights, rows: rows, columns: columns, form.type)
      let x = KernelInput(numbers.normals(columns), form.precision, set)
      let before = numbers.normals(rows)
      let dense = try GuardedFloats([Float](repeating: 0, count: rows))
      kernels.gemv(low.weights, x, into: dense.buffer, rows: 0..<rows)
      let y = try GuardedFloats(before)
      let list = KeptList(channels: rows)
      list.join([kernels.select(y.readable, from: 0.3, channels: 0..<rows, into: list)])
      for part in randomParts(list.count, &numbers) {
        kernels.addListed(low.weights, x, list, positions: part, to: y.buffer)
      }
      for row in 0..<rows {
        #expect(y.buffer[row] == (before[row] >= 0.3 ? before[row] + dense.buffer[row] : before[row]))
      }
    }
  }

  @Test(arguments: InstructionSet.supported, ProductForm.all)
  func refiningAddsListedChannelsRowsOnly(_ set: InstructionSet, _ form: ProductForm) throws {
    let kernels = SparseKernels(set)
    var numbers = RandomNumbers(seed: 19)
    for (index, (channels, columns)) in shapes.enumerated() {
      let activation = KernelActivation.allCases[index % 2]
      let pairs = try Problem(rows: 2 * channels, columns: columns, form, set, density: 0, &numbers)
      let density = Problem.densities[index % Problem.densities.count]
      let keep = (0..<channels).map { _ in Double.random(in: 0..<1, using: &numbers) < density }
      let before = numbers.normals(2 * channels)
      let results = try [false, true].map { whole in
        let list = try KeptList(keep)
        let sums = try GuardedFloats(before)
        for part in whole ? [0..<list.count] : randomParts(list.count, &numbers) {
          kernels.refine(pairs.weights, pairs.x, activation, list, positions: part, sums: sums.buffer)
        }
        #expect(list.keptChannels == keep.indices.filter { keep[$0] })
        return (sums: sums.values, products: list.keptValues)
      }
      // Sharing out the work does not change a bit.
      let (sums, products) = results[0]
      #expect(sums == results[1].sums && products == results[1].products)
      for row in 0..<2 * channels {
        var exact = pairs.dot(row)
        exact.add(1, Double(before[row]))
        if keep[row / 2] {
          #expect(abs(Double(sums[row]) - exact.value) <= exact.tolerance)
        } else {
          #expect(sums[row] == before[row])
        }
      }
      for (channel, product) in zip(keep.indices.filter { keep[$0] }, products) {
        #expect(product.isNear(activation, sums[2 * channel], sums[2 * channel + 1]))
      }
    }
  }

  @Test(arguments: KernelActivation.allCases, [0, 1, 5, 64, 511, 512, 513, 1300])
  func channelsAreGradedByTheirProducts(_ activation: KernelActivation, channels: Int) throws {
    var numbers = RandomNumbers(seed: 23)
    let sums = try GuardedFloats(numbers.normals(2 * channels, deviation: 3))
    let grades = (0..<channels).map { _ in Int.random(in: 0...2, using: &numbers) }
    // No threshold is so near that rounding decides.
    let limits = grades.indices.map { channel in
      let size = abs(activation.value(Double(sums.buffer[2 * channel])) * Double(sums.buffer[2 * channel + 1]))
      return (reached: Float(size * 0.99 - 1e-4), missed: Float(size * 1.01 + 1e-4))
    }
    let half = try GuardedFloats(zip(grades, limits).map { $0 == 0 ? $1.missed : $1.reached })
    let full = try GuardedFloats(zip(grades, limits).map { $0 == 2 ? $1.reached : $1.missed })

    let lists = [KeptList(channels: channels), KeptList(channels: channels)]
    let parts = randomParts(channels, &numbers).map {
      SparseKernels(.scalar).grade(
        sums.readable, nil, activation, half: half.readable, full: full.readable, channels: $0, into: lists[0], lists[1]
      )
    }
    lists[0].join(parts.map(\.half))
    lists[1].join(parts.map(\.full))
    for (grade, list) in zip([1, 2], lists) {
      #expect(list.keptChannels == grades.indices.filter { grades[$0] == grade })
      for (channel, product) in zip(list.keptChannels, list.keptValues) {
        #expect(product.isNear(activation, sums.buffer[2 * channel], sums.buffer[2 * channel + 1]))
      }
    }
  }

  /// Sums are compared with their offsets added, and are left as they are.
  @Test(arguments: KernelActivation.allCases, [1, 40, 700])
  func offsetsAreAddedBeforeChannelsAreGraded(_ activation: KernelActivation, channels: Int) throws {
    var numbers = RandomNumbers(seed: 29)
    let (sums, offsets) = (numbers.normals(2 * channels, deviation: 1), numbers.normals(2 * channels, deviation: 1))
    let (half, full) = (try GuardedFloats([0.3]), try GuardedFloats([0.9]))
    let moved = try graded(GuardedFloats(zip(sums, offsets).map { $0 + $1 }), activation, half, full)
    let (own, added) = (try GuardedFloats(sums), try GuardedFloats(offsets))
    let lists = [KeptList(channels: channels), KeptList(channels: channels)]
    let parts = SparseKernels(.scalar).grade(
      own.readable, added.readable, activation, half: half.readable, full: full.readable, channels: 0..<channels,
      into: lists[0], lists[1])
    lists[0].join([parts.half])
    lists[1].join([parts.full])
    for (list, expected) in zip(lists, [moved.half, moved.full]) {
      #expect(list.keptChannels == expected.keptChannels && list.keptValues == expected.keptValues)
    }
    #expect(Array(own.buffer) == sums)
  }

  @Test(arguments: KernelActivation.allCases, [1, 4])
  func magnitudesThatEqualAThresholdReachIt(_ activation: KernelActivation, thresholdCount: Int) throws {
    // Of 100 both activations make 100.
    let sums = try GuardedFloats([100, 2, 100, -2, 100, -1, 100, 0.9999])
    let half = try GuardedFloats([Float](repeating: 100, count: thresholdCount))
    let full = try GuardedFloats([Float](repeating: 200, count: thresholdCount))
    let lists = try graded(sums, activation, half, full)
    #expect(lists.full.keptChannels == [0, 1] && lists.full.keptValues == [200, -200])
    #expect(lists.half.keptChannels == [2] && lists.half.keptValues == [-100])
  }

  @Test(arguments: KernelActivation.allCases)
  func whatIsNotANumberIsNeverListed(_ activation: KernelActivation) throws {
    let (nan, infinity) = (Float.nan, Float.infinity)
    let sums = try GuardedFloats(
      [nan, 1, 1, nan, -infinity, 1, 0, infinity, infinity, -1, 0, 0, 100, 1, 100, 1, 100, 1, 100, 1])
    let half = try GuardedFloats([0, 0, 0, 0, 0, 0, nan, 1, nan, infinity])
    let full = try GuardedFloats([0, 0, 0, 0, 0, 1, nan, nan, 1, infinity])
    let lists = try graded(sums, activation, half, full)
    #expect(lists.full.keptChannels == [4, 8] && lists.full.keptValues == [-infinity, 100])
    #expect(lists.half.keptChannels == [5, 7] && lists.half.keptValues == [0, 100])
  }

  @Test func partsBeginAtTheirFirstChannel() throws {
    let sums = try GuardedFloats([100, 1, 100, 1, 100, 3, 100, 1])
    let (half, full) = (try GuardedFloats([100]), try GuardedFloats([300]))
    let (some, all) = (KeptList(channels: 4), KeptList(channels: 4))
    let kernels = SparseKernels(.scalar)
    let parts = kernels.grade(
      sums.readable, nil, .silu, half: half.readable, full: full.readable, channels: 1..<4, into: some, all)
    #expect(parts.half == 1..<3 && parts.full == 1..<2)
    let none = kernels.grade(
      sums.readable, nil, .silu, half: half.readable, full: full.readable, channels: 3..<3, into: some, all)
    #expect(none.half == 3..<3 && none.full == 3..<3)
  }

  private let shapes = [
    (0, 0), (0, 5), (5, 0), (1, 1), (2, 40), (3, 33), (17, 31), (64, 64), (130, 70), (257, 9), (300, 300),
  ]

  /// Random ones of 8 bits; the first of each group is 127, so that scales come out as they were meant.
  private func codes(_ count: Int, _ numbers: inout RandomNumbers) -> [Int] {
    (0..<count).map { $0 % 32 == 0 ? 127 : Int.random(in: -127...127, using: &numbers) }
  }

  private func graded(
    _ sums: GuardedFloats, _ activation: KernelActivation, _ half: GuardedFloats, _ full: GuardedFloats
  ) throws -> (half: KeptList, full: KeptList) {
    let channels = sums.buffer.count / 2
    let lists = (half: KeptList(channels: channels), full: KeptList(channels: channels))
    let parts = SparseKernels(.scalar).grade(
      sums.readable, nil, activation, half: half.readable, full: full.readable, channels: 0..<channels,
      into: lists.half,
      lists.full)
    lists.half.join([parts.half])
    lists.full.join([parts.full])
    return lists
  }
}

extension KeptList {
  /// Those channels, with ones as values.
  fileprivate convenience init(_ keep: [Bool]) throws {
    self.init(channels: keep.count)
    let (x, one) = (try GuardedFloats(keep.map { $0 ? 1 : 0 }), try GuardedFloats([1]))
    join([SparseKernels(.scalar).select(x.readable, one.readable, channels: 0..<channels, into: self)])
  }
}

extension Float {
  /// Whether it is activation(gate) · up but for rounding.
  fileprivate func isNear(_ activation: KernelActivation, _ gate: Float, _ up: Float) -> Bool {
    let exact = activation.value(Double(gate)) * Double(up)
    return abs(Double(self) - exact) <= 1e-6 * Double(Swift.max(1, abs(gate)) * abs(up)) + 1e-7 * abs(exact)
  }
}
