import Files
import LinearAlgebra

/// The residual stream of many sequences between two layers.
///
/// As many sequences as fit a memory budget stay in memory, the others in a scratch file: a corpus
/// may be larger than memory. Threads may load and store different sequences at the same time.
public final class HiddenStates: Sendable {
  /// Tokens of each sequence.
  public let lengths: [Int]
  /// Values of each token: the model's hidden size.
  public let width: Int

  private let resident: [Matrix]  // of the first sequences, each [its length, width]
  private let scratch: PositionedFile?
  private let offsets: [Int]  // of each sequence from the start of the stream, in bytes

  /// Zeros for sequences of the given lengths.
  ///
  /// - Parameters:
  ///   - memoryBudget: Bytes of activations to keep in memory.
  ///   - scratchDirectory: Where the scratch file is made if they do not suffice.
  /// - Throws: `FileError` where it cannot be made.
  public init(lengths: [Int], width: Int, memoryBudget: Int = .max, scratchDirectory: String = ".") throws {
    self.lengths = lengths
    self.width = width
    var offsets = [0]
    for length in lengths { offsets.append(offsets[offsets.count - 1] + length * width * MemoryLayout<Float>.stride) }
    self.offsets = offsets
    let fitting = offsets.dropFirst().prefix { $0 <= memoryBudget }.count
    resident = lengths.prefix(fitting).map { Matrix(rows: $0, columns: width) }
    scratch = fitting < lengths.count ? try PositionedFile(scratchIn: scratchDirectory) : nil
  }

  public var count: Int { lengths.count }
  public var tokens: Int { lengths.reduce(0, +) }
  public var longest: Int { lengths.max() ?? 0 }

  /// Copies a sequence into the first rows of `matrix`.
  package func load(_ sequence: Int, into matrix: Matrix) throws {
    let count = lengths[sequence] * width
    precondition(matrix.columns == width && matrix.count >= count)
    if sequence < resident.count {
      matrix.base.update(from: resident[sequence].base, count: count)
    } else {
      try scratch?.read(bytes(of: matrix, sequence), at: offsets[sequence])
    }
  }

  /// Copies the first rows of `matrix` into a sequence.
  package func store(_ sequence: Int, from matrix: Matrix) throws {
    let count = lengths[sequence] * width
    precondition(matrix.columns == width && matrix.count >= count)
    if sequence < resident.count {
      resident[sequence].base.update(from: matrix.base, count: count)
    } else {
      try scratch?.write(UnsafeRawBufferPointer(bytes(of: matrix, sequence)), at: offsets[sequence])
    }
  }

  /// Hands out a sequence to be changed: as it lies in memory, or by way of the first rows of `buffer`.
  package func update(_ sequence: Int, buffer: Matrix, _ body: (Matrix) throws -> Void) throws {
    guard sequence >= resident.count else { return try body(resident[sequence]) }
    try load(sequence, into: buffer)
    try body(buffer)
    try store(sequence, from: buffer)
  }

  /// Takes over another's sequences, which are as long.
  package func update(from other: HiddenStates) throws {
    precondition(lengths == other.lengths && width == other.width)
    for index in 0..<count { try store(index, from: other.sequence(index)) }
  }

  /// `‖x − y‖₂` over all values of all sequences, in float64.
  package func distance(to other: HiddenStates) throws -> Double {
    precondition(lengths == other.lengths && width == other.width)
    var squares = 0.0
    for index in 0..<count {
      let (x, y) = (try sequence(index), try other.sequence(index))
      for i in 0..<x.count {
        let difference = Double(x.base[i]) - Double(y.base[i])
        squares += difference * difference
      }
    }
    return squares.squareRoot()
  }

  /// A sequence as a matrix of its own, `[length, width]`.
  public func sequence(_ index: Int) throws -> Matrix {
    let matrix = Matrix(rows: lengths[index], columns: width)
    try load(index, into: matrix)
    return matrix
  }

  private func bytes(of matrix: Matrix, _ sequence: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: matrix.base, count: offsets[sequence + 1] - offsets[sequence])
  }
}
