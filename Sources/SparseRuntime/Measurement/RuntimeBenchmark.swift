import Foundation
import SparseBundle
import SparseKernels

/// What this machine, the kernels and a bundle do, in one run.
public struct RuntimeBenchmark: Sendable, Encodable {
  public struct Machine: Sendable, Encodable {
    /// GB/s by the number of threads.
    public var readGbps: [String: Double]
    public var instructionSet: String
  }

  public var machine: Machine
  public var kernels: [KernelMeasurement]
  public var endToEnd: [DecodingMeasurement]

  /// Hidden and FFN size of the shapes that are measured: a matrix that a core's cache holds, and two that none does.
  static let shapes = [(576, 1536), (2048, 8192), (4096, 14336)]

  /// - Parameters:
  ///   - prompt: Begins the text that is decoded.
  ///   - threads: Numbers of threads to measure with.
  ///   - types: Element types of the kernels to measure; none for decoding alone.
  ///   - precision: What quantised weights are multiplied with.
  ///   - seconds: To spend on decoding with each number of threads, about.
  ///   - progress: Called with what is done next.
  package init(
    _ bundle: ModelBundle, _ weights: UnpackedWeights, prompt: [Int32], threads: [Int], types: [WeightType],
    precision: ActivationPrecision?, seconds: Double, progress: (_ next: String) -> Void = { _ in }
  ) throws {
    let set = try InstructionSet.chosen(ProcessInfo.processInfo.environment["GAMBIT_ISA"])
    let table = SparseKernels(set)
    progress("memory")
    let bandwidth = threads.map { ReadBandwidth(table).measure(threads: $0) }
    machine = Machine(
      readGbps: Dictionary(uniqueKeysWithValues: zip(threads.map(String.init), bandwidth.map { $0 / 1e9 })),
      instructionSet: set.rawValue)
    kernels = []
    for type in types {
      for (hidden, intermediate) in Self.shapes {
        progress("\(type.rawValue) kernels on \(intermediate) × \(hidden)")
        let bench = KernelBench(
          table, type, precision ?? ActivationPrecision(bundle.manifest.weights.activations), rows: intermediate,
          columns: hidden)
        for (count, bandwidth) in zip(threads, bandwidth) {
          kernels += bench.run(threads: count, bandwidth: bandwidth)
        }
      }
    }
    endToEnd = try threads.map { count in
      progress("decoding with \(count) thread\(count == 1 ? "" : "s")")
      return try DecodingMeasurement(
        bundle, weights, prompt: prompt, threads: count, precision: precision, seconds: seconds)
    }
  }
}
