import LinearAlgebra
import Synchronization

/// The final norm and output head: from the last hidden states to logits.
///
/// Of weights in planes it may be read on demand: the high plane of all rows, and both planes of those alone whose logit
/// by the high plane reaches the greatest such one less a margin. A token that is sure of itself needs few of them.
public struct OutputHead: Sendable {
  let norm: [Float]  // [hiddenSize]
  let weight: Matrix  // [vocabularySize, hiddenSize]
  let epsilon: Float
  let high: Matrix?  // as `weight`
  private var demand: Demand?

  private struct Demand: Sendable {
    let margin: Float
    let offsets: [Float]?
    let counter = RowCounter()
  }

  init(norm: [Float], weight: Matrix, epsilon: Float, high: Matrix? = nil) {
    self.norm = norm
    self.weight = weight
    self.epsilon = epsilon
    self.high = high
  }

  public var vocabularySize: Int { weight.rows }

  /// The same head, read on demand from now on and counted anew; read whole where the margin is `nil`.
  ///
  /// - Parameters:
  ///   - margin: In nats.
  ///   - offsets: Added to the logits of high planes, `[vocabularySize]`.
  /// - Precondition: It has its high plane, or there is no margin.
  public func onDemand(margin: Float?, offsets: [Float]? = nil) -> OutputHead {
    precondition(margin == nil || high != nil)
    var head = self
    head.demand = margin.map { Demand(margin: $0, offsets: offsets) }
    return head
  }

  /// What high planes leave out of logits on the mean, `[vocabularySize]`.
  ///
  /// - Parameter meanInput: Of the normed hidden states, `[hiddenSize]`.
  /// - Precondition: It has its high plane.
  public func offsets(meanInput: [Double]) -> [Float] {
    guard let high else { preconditionFailure("no high plane") }
    return PlaneOffsets.leftOut(of: weight, high, meanInput)
  }

  /// The mean of the normed hidden states of some rows, `[hiddenSize]`, times their number.
  public func inputSum(_ hidden: Matrix, rows: Range<Int>) -> [Double] {
    let normed = normed(hidden, rows: rows)
    return (0..<normed.columns).map { column in (0..<rows.count).reduce(0) { $0 + Double(normed[$1, column]) } }
  }

  /// The share of rows that were read by both planes so far, over all positions; `nil` where all of them are.
  public var shareReadWhole: Double? { demand?.counter.share }

  /// Logits of some rows of `hidden`, `[rows.count, vocabularySize]`.
  /// Complexity: O(rows · vocabularySize · hiddenSize).
  ///
  /// - Parameter tap: Handed the head's normed input, `[rows.count, hiddenSize]`; what it writes is what goes on.
  public func logits(_ hidden: Matrix, rows: Range<Int>, tap: (Activations) -> Void = { _ in }) -> Matrix {
    gradedLogits(hidden, rows: rows, tap: tap).logits
  }

  /// The same, and for each of `rows` which rows of the head are read by both planes; `nil` where all of them are.
  public func gradedLogits(
    _ hidden: Matrix, rows: Range<Int>, tap: (Activations) -> Void = { _ in }
  ) -> (logits: Matrix, readWhole: [[Bool]]?) {
    let normed = normed(hidden, rows: rows, tap: tap)
    let logits = product(normed, weight)
    guard let demand, let high else { return (logits, nil) }
    let coarse = product(normed, high, offsets: demand.offsets)
    let readWhole = (0..<rows.count).map { row in
      let (whole, part) = (logits.row(row), coarse.row(row))
      let least = Self.greatest(part, vocabularySize) - demand.margin
      return (0..<vocabularySize).map { token in
        // What is not a number reaches nothing.
        let isWhole = part[token] >= least
        if !isWhole { whole[token] = part[token] }
        return isWhole
      }
    }
    demand.counter.add(readWhole.reduce(0) { $0 + $1.count { $0 } }, of: rows.count * vocabularySize)
    return (logits, readWhole)
  }

  /// Logits by both planes, and by the high one alone, each `[rows.count, vocabularySize]`.
  ///
  /// - Parameter offsets: Added to those of the high one, `[vocabularySize]`.
  /// - Precondition: It has its high plane.
  public func planeLogits(
    _ hidden: Matrix, rows: Range<Int>, offsets: [Float]? = nil
  ) -> (both: Matrix, high: Matrix) {
    guard let high else { preconditionFailure("no high plane") }
    let normed = normed(hidden, rows: rows)
    return (product(normed, weight), product(normed, high, offsets: offsets))
  }

  private func normed(_ hidden: Matrix, rows: Range<Int>, tap: (Activations) -> Void = { _ in }) -> Matrix {
    let normed = Matrix(rows: rows.count, columns: hidden.columns)
    for (i, row) in rows.enumerated() {
      VectorMath.rmsNorm(hidden.row(row), weight: norm, epsilon: epsilon, into: normed.row(i))
    }
    tap(Activations(normed, tokens: rows.count))
    return normed
  }

  private func product(_ normed: Matrix, _ weight: Matrix, offsets: [Float]? = nil) -> Matrix {
    let logits = Matrix(rows: normed.rows, columns: vocabularySize)
    MatrixProduct.multiply(normed.view, transposed: weight.view, into: logits.view)
    if let offsets {
      for row in 0..<logits.rows { VectorMath.add(offsets, to: logits.row(row)) }
    }
    return logits
  }

  /// The greatest number; minus infinity where there is none.
  private static func greatest(_ x: UnsafeMutablePointer<Float>, _ count: Int) -> Float {
    (0..<count).reduce(-.infinity) { x[$1] > $0 ? x[$1] : $0 }
  }
}

/// Counts rows, from any thread.
private final class RowCounter: Sendable {
  private let counts = Mutex((read: 0, seen: 0))

  var share: Double { counts.withLock { $0.seen == 0 ? 0 : Double($0.read) / Double($0.seen) } }

  func add(_ read: Int, of seen: Int) {
    counts.withLock {
      $0.read += read
      $0.seen += seen
    }
  }
}
