import SparseBundle
import SparseKernels

/// How fast a bundle decodes, dense and sparse, beside what its bytes allow.
///
/// Both decode the same tokens, a few at a time in turn, so that a machine that slows down slows both.
public struct DecodingMeasurement: Sendable, Encodable {
  public struct Rates: Sendable, Encodable {
    public var dense: Double
    public var sparse: Double
  }

  public var type: WeightType
  public var threads: Int
  /// Bytes a token reads: weights, keys and values.
  public var bytesDense: Double
  public var bytesSparse: Double
  /// What skipping would gain if a token cost its bytes and nothing else: the ratio of these.
  public var idealSpeedup: Double
  /// The ratio of the medians.
  public var measuredSpeedup: Double
  /// Measured / ideal.
  public var efficiency: Double
  /// Medians.
  public var tokensPerSecond: Rates
  /// The slowest and the fastest tenth.
  public var slowest: Rates
  public var fastest: Rates

  /// Tokens decoded before the other one's turn.
  private static let turn = 8
  private static let tokens = 128

  /// - Parameters:
  ///   - prompt: Begins the text that is decoded; the dense model continues it.
  ///   - seconds: To spend, about.
  init(
    _ bundle: ModelBundle, _ weights: UnpackedWeights, prompt: [Int32], threads: Int,
    precision: ActivationPrecision?, seconds: Double
  ) throws {
    let text = try Self.text(bundle, weights, prompt: prompt, threads: threads)
    let engines = try [false, true].map { sparse in
      (
        engine: try SparseEngine(bundle, weights, capacity: text.count, threads: threads, precision: precision),
        sparse: sparse
      )
    }
    var rates: [[Double]] = [[], []]
    let (clock, end) = (ContinuousClock(), ContinuousClock.now + .seconds(seconds))
    repeat {
      for (engine, _) in engines { engine.reset() }
      for start in stride(from: 0, to: text.count - Self.turn + 1, by: Self.turn) {
        for (index, (engine, sparse)) in engines.enumerated() {
          let time = clock.measure {
            for token in text[start..<start + Self.turn] { engine.step(token, sparse: sparse) }
          }
          rates[index].append(Double(Self.turn) / time.seconds)
        }
      }
    } while ContinuousClock.now < end

    let bytes = engines[1].engine.bytesPerToken(position: Double(text.count) / 2)
    type = bundle.weights.type
    self.threads = threads
    (bytesDense, bytesSparse) = (bytes.dense, bytes.sparse)
    idealSpeedup = bytes.dense / bytes.sparse
    tokensPerSecond = Rates(dense: rates[0].quantile(0.5), sparse: rates[1].quantile(0.5))
    slowest = Rates(dense: rates[0].quantile(0.1), sparse: rates[1].quantile(0.1))
    fastest = Rates(dense: rates[0].quantile(0.9), sparse: rates[1].quantile(0.9))
    measuredSpeedup = tokensPerSecond.sparse / tokensPerSecond.dense
    efficiency = measuredSpeedup / idealSpeedup
  }

  /// The prompt and what the dense model says next, drawn at random, since greedy text soon repeats itself.
  private static func text(
    _ bundle: ModelBundle, _ weights: UnpackedWeights, prompt: [Int32], threads: Int
  ) throws -> [Int32] {
    let count = min(tokens, bundle.configuration.contextLength)
    let prompt = Array(prompt.prefix(count / 2))
    var engine = try SparseEngine(bundle, weights, capacity: count, threads: threads)
    var sampler = TokenSampler(SamplingOptions(temperature: 0.8, topK: 50, seed: 1))
    var generation = Generation()
    try generation.run(&engine, &sampler, prompt: prompt, limit: count - prompt.count, stop: [], sparse: false)
    return prompt + generation.tokens
  }
}

extension Duration {
  /// As a number.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

extension [Double] {
  /// The value below which `share` of the values lie; 0 of none.
  func quantile(_ share: Double) -> Double {
    let ordered = sorted()
    return ordered.isEmpty ? 0 : ordered[Swift.min(Int(share * Double(count)), count - 1)]
  }
}
