import ActivationStatistics
import LinearAlgebra
import TestSupport
import Testing
import Transformer

struct CollectorTests {
  /// `statistics/llama.safetensors` holds numpy's sums of activations that `transformers` computed.
  @Test(arguments: [0, 4])
  func sumsAreThoseOfNumpy(sinkPositions: Int) throws {
    let collection = try Collection(sinkPositions: sinkPositions)
    let records = try collectStatistics(collection.weights, collection.sequences, sinkPositions: sinkPositions)
    let oracle = try SharedFixtures.safetensors("statistics/llama.safetensors")
    for (layer, record) in records.enumerated() {
      let (gate, up) = (record.regular.gate, record.regular.up)
      let energy = gate.energy.values.split(into: 160).map { $0.reduce(0, +) }
      for (name, sums) in [
        ("gate_abs_sum", gate.absoluteSum.values), ("gate_square_sum", gate.squareSum.values),
        ("up_abs_sum", up.absoluteSum.values), ("up_square_sum", up.squareSum.values), ("energy", energy),
      ] {
        let expected = oracle.doubles(of: "skip\(sinkPositions).layers.\(layer).\(name)")
        #expect(expected.count == 160)
        #expect(zip(sums, expected).allSatisfy { ($0 - $1).magnitude <= 1e-5 * $1.magnitude })
      }
    }
  }

  @Test func everyTokenOfEveryChannelIsCountedOnceAtEachPlace() throws {
    let collection = try Collection(sinkPositions: 4)
    for record in try collectStatistics(collection.weights, collection.sequences, sinkPositions: 4, threads: 2) {
      for (part, tokens) in [(record.regular, 16 * 60), (record.sinks, 16 * 4), (record.all, 16 * 64)] {
        for counts in [
          part.gate.count, part.up.count, part.productCount, part.ffnInputCount, part.attentionInputCount,
          part.outputInputCount,
        ] {
          let sums = counts.split(into: counts.count / LogarithmicBins.count).map { $0.reduce(0, +) }
          #expect(sums.allSatisfy { $0 == Int64(tokens) })
        }
      }
    }
  }

  /// The two factors see the same tokens, binned by the one or by the other.
  @Test func energiesByEitherFactorAddUpToTheSame() throws {
    let collection = try Collection(sinkPositions: 0)
    let record = try collectStatistics(collection.weights, collection.sequences, sinkPositions: 0)[1]
    func byChannel(_ sums: [Double]) -> [Double] { sums.split(into: 160).map { $0.reduce(0, +) } }
    for (a, b) in [
      (byChannel(record.regular.gate.energy.values), byChannel(record.regular.up.energy.values)),
      (byChannel(record.regular.gate.sum.values), byChannel(record.regular.up.sum.values)),
    ] {
      #expect(zip(a, b).allSatisfy { ($0 - $1).magnitude < 1e-9 })
    }
  }

  @Test func sinksAreThePositionsThatASeparateRunLeavesOut() throws {
    let collection = try Collection(sinkPositions: 4)
    let apart = try collectStatistics(collection.weights, collection.sequences, sinkPositions: 4)
    let together = try collectStatistics(collection.weights, collection.sequences, sinkPositions: 0)
    #expect(apart.map(\.all) == together.map(\.all))
    // Of a text cut to its first positions nothing but sinks is left.
    let starts = collection.sequences.map { Array($0.prefix(3)) }
    let short = try collectStatistics(collection.weights, starts, sinkPositions: 4)
    let plain = try collectStatistics(collection.weights, starts, sinkPositions: 0)
    #expect(short.map(\.sinks) == plain.map(\.regular))
    #expect(short.map(\.regular) == plain.map(\.sinks))
  }

  @Test(arguments: [Float.nan, .infinity])
  func activationThatIsNoNumberIsAnError(x: Float) throws {
    let collection = try Collection(sinkPositions: 0)
    let c = collection.weights.configuration
    let pass = ForwardPass(c, longest: 4, threads: 1)
    let states = try pass.embed([[1, 2, 3, 4]], collection.weights)
    let layer = try collection.weights.layer(0)
    layer.up[7, 3] = x
    let widths = LayerWidths(hidden: c.hiddenSize, query: c.queryWidth, intermediate: c.intermediateSize)
    let collector = StatisticsCollector(widths, sinkPositions: 0, workers: 1)
    try pass.run(layer, index: 0, states, tap: collector)
    #expect(throws: StatisticsError.unusableActivation(layer: 0)) { try collector.finish(layer: 0) }
  }
}
