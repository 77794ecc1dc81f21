import Checkpoints
import Foundation
import LinearAlgebra
import Synchronization
import Transformer

/// What reading the output head on demand loses by itself, at every margin of a grid in one pass.
///
///     let curve = try HeadMeasurement(PlaneWeights(model.weights, .int8), threads: 2).run(windows)
///     curve.leastMargin(kl: 0.003, missed: 1e-4)
///
/// The hidden states are those of the weights with both planes of everything, and so are the logits that it is compared
/// with.
public struct HeadMeasurement: Sendable {
  private static let rowsOfLogits = 64

  private let weights: any WeightSource
  private let threads: Int
  private let walk: ThresholdWalk

  /// - Parameters:
  ///   - weights: In planes.
  ///   - memoryBudget: Bytes of activations to keep in memory; the others go to a scratch file in the system's folder for
  ///     these.
  public init(_ weights: any WeightSource, threads: Int, memoryBudget: Int = 2_000_000_000) {
    self.weights = weights
    self.threads = threads
    walk = ThresholdWalk(weights, threads: threads, memoryBudget: memoryBudget)
  }

  /// - Parameter progress: Called with the share of the work that is done.
  /// - Returns: What each margin loses with the offsets added, which are what high planes leave out of the windows' logits
  ///   on the mean, one a row.
  /// - Precondition: `weights` lie in planes.
  /// - Complexity: a forward pass, with another output head.
  public func run(
    _ windows: [[Int32]], progress: (_ share: Double) -> Void = { _ in }
  ) throws -> (curve: HeadCurve, offsets: [Float]) {
    let layers = Double(weights.configuration.layerCount + 1)  // the output head counts as a layer
    let walked = try walk.run(windows, nil) { progress(Double($0) / layers) }
    let (states, head) = (walked.states, try walked.pass.outputHead(weights, hasHighPlane: true))
    let offsets = try offsets(head, states, windows)
    let byWindow = Mutex([HeadCurve.Sums](repeating: HeadCurve.Sums(), count: windows.count))
    try forEachIndex(below: windows.count, threads: threads) { _, window in
      let hidden = try states.sequence(window)
      var sums = HeadCurve.Sums()
      for start in stride(from: 0, to: windows[window].count, by: Self.rowsOfLogits) {
        let rows = start..<min(start + Self.rowsOfLogits, windows[window].count)
        let logits = head.planeLogits(hidden, rows: rows, offsets: offsets)
        for row in 0..<rows.count { sums.add(logits.both.row(row), high: logits.high.row(row), head.vocabularySize) }
      }
      byWindow.withLock { $0[window] = sums }
    }
    progress(1)
    // In order, so that sums do not depend on which thread came first.
    return (HeadCurve(byWindow.withLock { $0 }, vocabularySize: head.vocabularySize), offsets)
  }

  private func offsets(_ head: OutputHead, _ states: HiddenStates, _ windows: [[Int32]]) throws -> [Float] {
    var mean = [Double](repeating: 0, count: weights.configuration.hiddenSize)
    let tokens = Double(windows.joined().count)
    for window in windows.indices {
      let sum = head.inputSum(try states.sequence(window), rows: 0..<windows[window].count)
      for channel in mean.indices { mean[channel] += sum[channel] / tokens }
    }
    return head.offsets(meanInput: mean)
  }
}

/// What an output head that is read on demand loses and reads, by its margin.
public struct HeadCurve: Sendable, Equatable {
  public struct Point: Sendable, Equatable {
    /// How far below the greatest logit by high planes rows are still read whole, in nats.
    public var margin: Float
    /// Mean KL(whole head ‖ head on demand) of a token.
    public var kl: Double
    /// The share of rows that is read whole.
    public var share: Double
    /// The share of positions at which the most likely token is not among these.
    public var missed: Double
  }

  /// Half a nat apart, from half a nat on. No model's logits are wider than the last.
  public let points: [Point]

  private static let step: Float = 0.5
  private static let count = 128

  /// The least margin which stays below both limits; `nil` where none does.
  public func leastMargin(kl: Double, missed: Double) -> Point? {
    points.first { $0.kl < kl && $0.missed <= missed }
  }

  /// Sums over positions, one a margin.
  struct Sums {
    var kl = [Double](repeating: 0, count: HeadCurve.count)
    var rows = [Double](repeating: 0, count: HeadCurve.count)
    var missed = [Double](repeating: 0, count: HeadCurve.count)
    var positions = 0.0

    /// One position's logits by both planes, and by the high one alone.
    ///
    /// A row is read whole from some margin on. Summed by this margin, what rows add to the divergence and to either
    /// normaliser gives the figures of every margin: `KL = Σ_part p (f − h) + log(Σ_whole e^f + Σ_part e^h) − log Σ e^f`.
    mutating func add(_ whole: UnsafeMutablePointer<Float>, high: UnsafeMutablePointer<Float>, _ count: Int) {
      let (p, q) = (Matrix(rows: 1, columns: count), Matrix(rows: 1, columns: count))
      p.base.update(from: whole, count: count)
      q.base.update(from: high, count: count)
      VectorMath.softmax(p.base, count: count, scale: 1)
      VectorMath.softmax(q.base, count: count, scale: 1)
      let scale = exp(Double(VectorMath.logSumExp(high, count: count) - VectorMath.logSumExp(whole, count: count)))
      let greatest = (0..<count).reduce(-Float.infinity) { high[$1] > $0 ? high[$1] : $0 }
      let margins = HeadCurve.count
      var (lost, full, part, read) = (
        [Double](repeating: 0, count: margins + 1), [Double](repeating: 0, count: margins + 1),
        [Double](repeating: 0, count: margins + 1), [Double](repeating: 0, count: margins + 1)
      )
      func firstMargin(_ row: Int) -> Int {
        // What is not a number is never read whole.
        let steps = (greatest - high[row]) / HeadCurve.step
        return steps <= Float(margins) ? max(Int(steps.rounded(.up)) - 1, 0) : margins
      }
      var best = 0
      for row in 0..<count {
        let index = firstMargin(row)
        lost[index] += Double(p.base[row] * (whole[row] - high[row]))
        full[index] += Double(p.base[row])
        part[index] += Double(q.base[row]) * scale
        read[index] += 1
        if whole[row] > whole[best] { best = row }
      }
      let firstOfBest = firstMargin(best)
      var (lostBeyond, partBeyond) = (lost.reduce(0, +), part.reduce(0, +))
      var (fullWithin, rowsWithin) = (0.0, 0.0)
      for index in 0..<margins {
        lostBeyond -= lost[index]
        partBeyond -= part[index]
        fullWithin += full[index]
        rowsWithin += read[index]
        kl[index] += lostBeyond + log(fullWithin + partBeyond)
        rows[index] += rowsWithin
        missed[index] += firstOfBest > index ? 1 : 0
      }
      positions += 1
    }
  }

  init(_ windows: [Sums], vocabularySize: Int) {
    let positions = max(windows.reduce(0) { $0 + $1.positions }, 1)
    func mean(_ sums: KeyPath<Sums, [Double]>, _ index: Int) -> Double {
      windows.reduce(0) { $0 + $1[keyPath: sums][index] } / positions
    }
    points = (0..<Self.count).map { index in
      Point(
        margin: Self.step * Float(index + 1), kl: mean(\.kl, index),
        share: mean(\.rows, index) / Double(max(vocabularySize, 1)), missed: mean(\.missed, index))
    }
  }
}
