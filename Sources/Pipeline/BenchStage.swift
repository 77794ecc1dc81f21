import Reports
import SparseBundle
import SparseKernels
import SparseRuntime

/// bundle → how fast it is here
public struct BenchStage: Sendable {
  public var threads: [Int]
  public var types: [WeightType]
  public var seconds: Double

  /// What quantised weights are multiplied with; what the bundle's manifest says where `nil`.
  public var activations: BundleManifest.Weights.Activations?

  public init(
    threads: [Int], types: [WeightType], seconds: Double, activations: BundleManifest.Weights.Activations? = nil
  ) {
    self.activations = activations
    self.threads = threads
    self.types = types
    self.seconds = seconds
  }

  public func run(_ bundle: ModelBundle, _ console: Console) throws -> RuntimeBenchmark {
    let weights = try GenerateStage.weights(of: bundle, console)
    let prompt = try bundle.golden.texts.first?.tokens ?? []
    return try RuntimeBenchmark(
      bundle, weights, prompt: prompt, threads: threads, types: types,
      precision: activations.map(ActivationPrecision.init), seconds: seconds
    ) { console.note("bench: \($0)") }
  }

  /// What a person reads.
  public static func table(_ result: RuntimeBenchmark) -> String {
    var parts = [
      "memory reads at "
        + result.machine.readGbps.sorted {
          $0.key.count == $1.key.count ? $0.key < $1.key : $0.key.count < $1.key.count
        }
        .map { "\(Format.fixed($0.value, 1)) GB/s with \($0.key) thread\($0.key == "1" ? "" : "s")" }
        .joined(separator: ", ") + "; kernels: \(result.machine.instructionSet)"
    ]
    if !result.kernels.isEmpty { parts.append(kernels(result.kernels).description) }
    parts.append(decoding(result.endToEnd).description)
    return parts.joined(separator: "\n\n")
  }

  private static func kernels(_ rows: [KernelMeasurement]) -> TextTable {
    var table = TextTable(["kernel", "matrix", "type", "threads", "dropped", "GB/s", "of bandwidth", "× dense"])
    for row in rows {
      table.add([
        row.kernel.rawValue, "\(row.rows) × \(row.columns)", row.type.rawValue, "\(row.threads)",
        Format.percent(row.sparsity),
        Format.fixed(row.gbps, 1), Format.percent(row.shareOfReadBandwidth), Format.fixed(row.speedupOverDense, 2),
      ])
    }
    return table
  }

  private static func decoding(_ rows: [DecodingMeasurement]) -> TextTable {
    var table = TextTable([
      "decoding", "threads", "dense, tokens/s", "sparse", "MB a token", "sparse", "speed-up", "ideal", "efficiency",
    ])
    for row in rows {
      table.add([
        row.type.rawValue, "\(row.threads)", Format.fixed(row.tokensPerSecond.dense, 1),
        Format.fixed(row.tokensPerSecond.sparse, 1), Format.fixed(row.bytesDense / 1e6, 1),
        Format.fixed(row.bytesSparse / 1e6, 1), Format.fixed(row.measuredSpeedup, 2),
        Format.fixed(row.idealSpeedup, 2), Format.percent(row.efficiency),
      ])
    }
    return table
  }
}
