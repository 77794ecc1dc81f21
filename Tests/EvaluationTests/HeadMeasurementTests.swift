import Checkpoints
import LinearAlgebra
import TestSupport
import Testing
import Transformer

@testable import Evaluation

/// What an output head loses that is read on demand, at every margin at once.
struct HeadMeasurementTests {
  /// Beside the head itself, one margin after the other.
  @Test(arguments: [TinyModel.llama, .gemma3], [1, 2])
  func curveIsThatOfHeadsOnDemand(_ model: TinyModel, threads: Int) throws {
    let weights = try model.inPlanes()
    let windows = try model.oracle().sequences
    let (curve, offsets) = try HeadMeasurement(weights, threads: threads).run(windows)
    let walked = try ThresholdWalk(weights, threads: 1).run(windows, nil)
    let head = try walked.pass.outputHead(weights, hasHighPlane: true)
    for point in curve.points where [0.5, 1, 2.5, 4, 64].contains(point.margin) {
      let graded = head.onDemand(margin: point.margin, offsets: offsets)
      var (kl, missed, positions) = (0.0, 0.0, 0.0)
      for window in windows.indices {
        let (hidden, rows) = (try walked.states.sequence(window), 0..<windows[window].count)
        let whole = head.logits(hidden, rows: rows)
        let (logits, readWhole) = graded.gradedLogits(hidden, rows: rows)
        for row in rows {
          kl += VectorMath.klDivergence(whole.row(row), logits.row(row), count: logits.columns)
          missed += try #require(readWhole)[row][whole.indexOfMaximum(row: row)] ? 0 : 1
          positions += 1
        }
      }
      #expect((point.kl - kl / positions).magnitude < 1e-5, "margin \(point.margin)")
      #expect(point.missed == missed / positions)
      #expect((point.share - (graded.shareReadWhole ?? .nan)).magnitude < 1e-3)
    }
  }

  /// The means of what high planes leave out, of the text that numpy ran.
  @Test func offsetsAreNumpys() throws {
    let oracle = try SharedFixtures.safetensors("statistics/planes.safetensors")
    let found = try HeadMeasurement(TinyModel.llama.inPlanes(), threads: 1).run([oracle.integers(of: "ids")]).offsets
    let expected = try oracle.values(of: "head.offset")
    #expect(found.count == expected.count && expected.contains { $0.magnitude > 1e-3 })
    #expect(zip(found, expected).allSatisfy { ($0 - $1).magnitude < 1e-5 })
  }

  @Test func leastMarginKeepsItsLimits() throws {
    let curve = try HeadMeasurement(TinyModel.llama.inPlanes(), threads: 2).run(TinyModel.llama.oracle().sequences)
      .curve
    let middle = curve.points[2]
    let found = try #require(curve.leastMargin(kl: middle.kl * 1.01, missed: middle.missed))
    #expect(found.margin <= middle.margin && found.kl < middle.kl * 1.01 && found.missed <= middle.missed)
    #expect(
      curve.points.prefix { $0.margin < found.margin }.allSatisfy {
        $0.kl >= middle.kl * 1.01 || $0.missed > middle.missed
      })
    #expect(curve.leastMargin(kl: -1, missed: 1) == nil)
    #expect(zip(curve.points, curve.points.dropFirst()).allSatisfy { $0.share <= $1.share && $0.missed >= $1.missed })
  }
}
