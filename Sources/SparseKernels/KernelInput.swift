import CSparseKernels

/// How a vector is multiplied with quantised weights. Float weights always meet its exact values.
package enum ActivationPrecision: String, Sendable, CaseIterable {
  case exact
  /// Rounded to 8 bits a group of 32 with a scale, so that products run in integers.
  case int8
}

/// The vector that a token multiplies matrices with, and what quantised ones need to know of it.
///
///     let x = KernelInput(count: hiddenSize, .int8)  // once
///     norm(hidden, into: x.elements)                 // for each token
///     kernels.prepare(x)
///     kernels.gemv(key, x, into: k, rows: 0..<key.rows)
///
/// Memory is taken once. Threads may read one together, after one of them has prepared it.
package final class KernelInput: @unchecked Sendable {
  package let count: Int
  package let precision: ActivationPrecision
  /// The exact values, `[count]`. Whoever changes them calls `prepare` before the next product with quantised
  /// weights.
  package let elements: UnsafeMutableBufferPointer<Float>

  let groups: Int
  private let padded: UnsafeMutablePointer<Float>  // [groups · 32], zeros beyond count
  private let codes: UnsafeMutablePointer<Int8>?  // [groups · 32]
  private let scales: UnsafeMutablePointer<Float>  // [groups padded]
  private let sums: UnsafeMutablePointer<Float>  // [groups padded]
  private let ordered: UnsafeMutablePointer<Float>?  // [36 · groups, in fours]

  /// Zeros.
  ///
  /// - Precondition: `count` is not negative.
  package init(count: Int, _ precision: ActivationPrecision) {
    precondition(count >= 0)
    func zeros<Element: Numeric>(_ count: Int) -> UnsafeMutablePointer<Element> {
      let pointer = UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Element>.stride, alignment: 64)
        .bindMemory(to: Element.self, capacity: count)
      pointer.initialize(repeating: 0, count: count)
      return pointer
    }
    (self.count, self.precision) = (count, precision)
    groups = (count + ElementType.group - 1) / ElementType.group
    padded = zeros(groups * ElementType.group)
    codes = precision == .int8 ? zeros(groups * ElementType.group) : nil
    scales = zeros((groups + 7) / 8 * 8)
    sums = zeros((groups + 7) / 8 * 8)
    ordered = precision == .exact ? zeros((groups + 3) / 4 * 4 * 36) : nil
    elements = UnsafeMutableBufferPointer(start: padded, count: count)
  }

  deinit {
    padded.deallocate()
    codes?.deallocate()
    scales.deallocate()
    sums.deallocate()
    ordered?.deallocate()
  }

  /// Whose order exact elements are in.
  private var instructionSet: InstructionSet?

  /// What `kernels` multiply rows of `type` with.
  ///
  /// - Precondition: They prepared it where rows are quantised.
  func c(_ kernels: SparseKernels, _ type: ElementType) -> gambit_input {
    precondition(!type.isQuantised || instructionSet == kernels.instructionSet, "prepared by other kernels, or by none")
    return gambit_input(x: padded, codes: codes, scales: scales, sums: sums, ordered: ordered)
  }

  /// Makes of the elements codes and scales, or their order, and sums.
  func prepare(_ kernels: SparseKernels) {
    kernels.table.quantise(padded, groups, codes, scales, sums, ordered)
    instructionSet = kernels.instructionSet
  }

  /// What quantised weights meet instead of the elements: code · scale, or the elements themselves. For tests.
  ///
  /// - Complexity: O(`count`).
  package var roundedElements: [Float] {
    guard let codes else { return Array(elements) }
    return (0..<count).map { Float(codes[$0]) * scales[$0 / ElementType.group] }
  }
}
