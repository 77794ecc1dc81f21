import SparseKernels
import TestSupport
import Testing

/// The three products, on every instruction set that this processor has, beside double precision. All memory
/// ends at an unreadable page.
struct ProductTests {
  @Test(arguments: InstructionSet.supported, ProductForm.all)
  func denseProductIsTheDoubleSum(_ set: InstructionSet, _ form: ProductForm) throws {
    let kernels = SparseKernels(set)
    try Problem.each(form, set) { problem, numbers in
      let y = try GuardedFloats([Float](repeating: .nan, count: problem.weights.rows))
      for part in randomParts(problem.weights.rows, &numbers) {
        kernels.gemv(problem.weights, problem.x, into: y.buffer, rows: part)
      }
      for row in 0..<problem.weights.rows {
        let exact = problem.dot(row)
        #expect(abs(Double(y.buffer[row]) - exact.value) <= exact.tolerance)
      }
    }
  }

  @Test(arguments: InstructionSet.supported, ProductForm.all)
  func inputSparseProductAddsKeptRowsOnly(_ set: InstructionSet, _ form: ProductForm) throws {
    let kernels = SparseKernels(set)
    try Problem.each(form, set) { problem, numbers in
      let before = numbers.normals(problem.weights.columns)
      let y = try GuardedFloats(before)
      let positions = 0..<problem.list.count
      for part in randomParts(problem.weights.columns, &numbers) {
        kernels.spvmm(problem.weights, problem.list, positions: positions, into: y.buffer, columns: part)
      }
      for column in 0..<problem.weights.columns {
        var exact = ExactSum()
        exact.add(1, Double(before[column]))
        for (row, value) in zip(problem.kept, problem.values) {
          problem.matrix.add(row: row, column: column, times: value, to: &exact)
        }
        #expect(abs(Double(y.buffer[column]) - exact.value) <= exact.tolerance)
      }
    }
  }

  @Test(arguments: InstructionSet.supported, ProductForm.all)
  func outputSparseProductIsFusedWithItsFactor(_ set: InstructionSet, _ form: ProductForm) throws {
    let kernels = SparseKernels(set)
    try Problem.each(form, set) { problem, numbers in
      for part in randomParts(problem.list.count, &numbers) {
        kernels.vmmsp(problem.weights, problem.x, problem.list, positions: part)
      }
      #expect(problem.list.keptChannels == problem.kept)
      for (index, row) in problem.kept.enumerated() {
        let (exact, factor) = (problem.dot(row), Double(problem.values[index]))
        let error = abs(Double(problem.list.keptValues[index]) - factor * exact.value)
        #expect(error <= abs(factor) * exact.tolerance + 1e-37)
      }
    }
  }

  @Test(arguments: InstructionSet.supported, ProductForm.all)
  func sharingOutTheWorkDoesNotChangeABit(_ set: InstructionSet, _ form: ProductForm) throws {
    let kernels = SparseKernels(set)
    try Problem.each(form, set) { problem, numbers in
      let (weights, list) = (problem.weights, problem.list)
      let zeros = [Float](repeating: 0, count: max(weights.rows, weights.columns))
      func parts(_ count: Int, _ whole: Bool) -> [Range<Int>] { whole ? [0..<count] : randomParts(count, &numbers) }
      let results = try [true, false].map { whole in
        let dense = try GuardedFloats(Array(zeros.prefix(weights.rows)))
        for rows in parts(weights.rows, whole) {
          kernels.gemv(weights, problem.x, into: dense.buffer, rows: rows)
        }
        let sparse = try GuardedFloats(Array(zeros.prefix(weights.columns)))
        for columns in parts(weights.columns, whole) {
          kernels.spvmm(weights, list, positions: 0..<list.count, into: sparse.buffer, columns: columns)
        }
        return (dense.values + sparse.values).map(\.bitPattern)
      }
      #expect(results[0] == results[1])
    }
  }

  @Test(arguments: InstructionSet.supported, ProductForm.all)
  func onlyWhatIsAskedForIsWritten(_ set: InstructionSet, _ form: ProductForm) throws {
    let kernels = SparseKernels(set)
    try Problem.each(form, set) { problem, numbers in
      let (rows, columns) = (problem.weights.rows, problem.weights.columns)
      let someRows = Int.random(in: 0...rows, using: &numbers)..<rows
      let y = try GuardedFloats([Float](repeating: 5, count: rows))
      kernels.gemv(problem.weights, problem.x, into: y.buffer, rows: someRows)
      #expect(y.values.prefix(someRows.lowerBound).allSatisfy { $0 == 5 })

      let someColumns = 0..<Int.random(in: 0...columns, using: &numbers)
      let z = try GuardedFloats([Float](repeating: 5, count: columns))
      let list = problem.list
      kernels.spvmm(problem.weights, list, positions: 0..<list.count, into: z.buffer, columns: someColumns)
      #expect(z.values.suffix(from: someColumns.upperBound).allSatisfy { $0 == 5 })
    }
  }

  /// Every bit pattern there is, in whole vectors and one a row.
  @Test(arguments: InstructionSet.supported)
  func halvesAreExact(_ set: InstructionSet) throws {
    let kernels = SparseKernels(set)
    let patterns = (0...UInt16.max)
    let list = KeptList(channels: 1)
    let one = try GuardedFloats([1])
    list.join([kernels.select(one.readable, one.readable, channels: 0..<1, into: list)])
    for type in [ElementType.float16, .bfloat16] {
      let memory = try GuardedMemory(count: 2 * patterns.count)
      _ = memory.bytes.bindMemory(to: UInt16.self).update(fromContentsOf: patterns)
      let bytes = UnsafeRawBufferPointer(memory.bytes)
      let expected = patterns.map {
        type == .float16 ? Float(Float16(bitPattern: $0)) : Float(bitPattern: UInt32($0) << 16)
      }
      let wide = try GuardedFloats([Float](repeating: 0, count: patterns.count))
      let row = try #require(WeightMatrix(bytes, rows: 1, columns: patterns.count, type: type))
      kernels.spvmm(row, list, positions: 0..<1, into: wide.buffer, columns: 0..<patterns.count)
      let narrow = try GuardedFloats(wide.values)
      let column = try #require(WeightMatrix(bytes, rows: patterns.count, columns: 1, type: type))
      kernels.gemv(column, KernelInput([1], .exact, set), into: narrow.buffer, rows: 0..<patterns.count)
      for result in [wide, narrow] {
        #expect(zip(result.buffer, expected).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN })
      }
    }
  }

  /// Every finite half in two planes of bytes: what each stands for, and both together.
  @Test(arguments: InstructionSet.supported)
  func bytesOfHalvesAreExact(_ set: InstructionSet) throws {
    let kernels = SparseKernels(set)
    let halves = (0...UInt16.max).map { Float16(bitPattern: $0) }.filter(\.isFinite)
    let middles = halves.map { Float(Float16(bitPattern: $0.bitPattern & 0xFF00 | 128)) }
    for (rows, columns) in [(1, halves.count), (halves.count, 1)] {
      var sum = [Float](repeating: 0, count: halves.count)
      for type in [ElementType.highBytes, .lowBytes] {
        let plane = try GuardedMatrix(halves.map { Float($0) }, rows: rows, columns: columns, type)
        let y = try GuardedFloats([Float](repeating: 0, count: halves.count))
        if rows == 1 {
          kernels.copyRow(0, of: plane.weights, into: y.buffer)
        } else {
          kernels.gemv(plane.weights, KernelInput([1], .exact, set), into: y.buffer, rows: 0..<rows)
        }
        if type == .highBytes { #expect(y.values == middles) }
        sum = zip(sum, y.values).map { $0 + $1 }
      }
      #expect(sum == halves.map { Float($0) })
    }
  }
}
