import SparseKernels
import TestSupport
import Testing

/// A sum of products in double precision, and how far a float32 sum of them may lie from it.
struct ExactSum {
  var value = 0.0
  private var magnitude = 0.0
  private var terms = 0.0

  mutating func add(_ a: Double, _ b: Double) {
    value += a * b
    magnitude += abs(a * b)
    terms += 1
  }

  /// Higham, Accuracy and Stability of Numerical Algorithms, (3.5): n roundings of the products and as many of
  /// the sums, whatever their order.
  var tolerance: Double { 2 * (terms + 2) * 0x1p-24 * magnitude + 1e-37 }
}

/// One random problem: a matrix, a vector for its columns, and which of its rows are kept with which values.
struct Problem {
  let matrix: GuardedMatrix
  let x: KernelInput
  /// What the matrix is really multiplied with: x, or what it is rounded to.
  let multiplied: [Float]
  let list: KeptList
  let kept: [Int]
  let values: [Float]

  var weights: WeightMatrix { matrix.weights }

  /// - Parameter set: Whose kernels multiply x.
  /// - Parameter density: The share of rows kept; 0 and 1 are exact.
  init(
    rows: Int, columns: Int, _ form: ProductForm, _ set: InstructionSet, density: Double, _ numbers: inout RandomNumbers
  ) throws {
    matrix = try GuardedMatrix(numbers.normals(rows * columns), rows: rows, columns: columns, form.type)
    x = KernelInput(numbers.normals(columns), form.precision, set)
    multiplied = form.type.isQuantised ? x.roundedElements : Array(x.elements)
    let keep = (0..<rows).map { _ in Double.random(in: 0..<1, using: &numbers) < density }
    let magnitudes = numbers.normals(rows)
    kept = keep.indices.filter { keep[$0] }
    values = kept.map { magnitudes[$0] }
    list = KeptList(channels: rows)
    let kernels = SparseKernels(.scalar)
    // Rows that are not kept get a number that no threshold lets pass.
    let input = try GuardedFloats(keep.indices.map { keep[$0] ? magnitudes[$0] : .nan })
    let zero = try GuardedFloats([0])
    list.join([kernels.select(input.readable, zero.readable, channels: 0..<rows, into: list)])
  }

  /// Row `row` times `x`.
  func dot(_ row: Int) -> ExactSum {
    var sum = ExactSum()
    for column in 0..<weights.columns {
      matrix.add(row: row, column: column, times: multiplied[column], to: &sum)
    }
    return sum
  }

  static let densities = [0, 0.1, 0.5, 0.9, 1]

  /// Thirty problems from 1 × 1 to 200 × 200, and the edges of every vector length.
  static func each(
    _ form: ProductForm, _ set: InstructionSet, _ body: (Problem, inout RandomNumbers) throws -> Void
  ) throws {
    var numbers = RandomNumbers(seed: 7)
    var shapes = (0..<30).map { _ in
      (Int.random(in: 1...200, using: &numbers), Int.random(in: 1...200, using: &numbers))
    }
    shapes += [
      (0, 0), (0, 5), (5, 0), (1, 1), (7, 8), (8, 7), (9, 16), (17, 15), (64, 17), (65, 33), (130, 32), (9, 257),
      (20, 256),
    ]
    for (index, shape) in shapes.enumerated() {
      let density = densities[index % densities.count]
      try body(Problem(rows: shape.0, columns: shape.1, form, set, density: density, &numbers), &numbers)
    }
  }
}

extension KernelInput {
  /// `values`, ready for products of `set`.
  convenience init(_ values: [Float], _ precision: ActivationPrecision, _ set: InstructionSet) {
    self.init(count: values.count, precision)
    _ = elements.update(fromContentsOf: values)
    SparseKernels(set).prepare(self)
  }
}

/// Cuts `0 ..< count` into up to four parts at random places.
func randomParts(_ count: Int, _ numbers: inout RandomNumbers) -> [Range<Int>] {
  let cuts = [0, count] + (0..<3).map { _ in Int.random(in: 0...count, using: &numbers) }
  let sorted = cuts.sorted()
  return zip(sorted, sorted.dropFirst()).map { $0..<$1 }
}
