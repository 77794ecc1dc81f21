import SparseBundle
import SparseKernels

/// How fast one kernel reads a matrix that is not in any cache, beside the machine's bandwidth and the dense kernel.
public struct KernelMeasurement: Sendable, Encodable {
  public enum Kernel: String, Sendable, Encodable, CaseIterable {
    case gemv, spvmm, vmmsp
  }

  public var kernel: Kernel
  public var rows: Int
  public var columns: Int
  public var type: WeightType
  /// The share of rows that is not read.
  public var sparsity: Double
  public var threads: Int
  /// Bytes of the rows that are read, over the time.
  public var gbps: Double
  public var shareOfReadBandwidth: Double
  /// Against the same kernel on all rows; of `gemv`, 1.
  public var speedupOverDense: Double
}

/// Measures the kernels on one shape and type: copies of a matrix beyond the caches, read one after the other.
struct KernelBench {
  static let sparsities = [0.5, 0.7, 0.9]
  private static let rounds = 7

  let kernels: SparseKernels
  let name: WeightType
  let type: ElementType
  let precision: ActivationPrecision
  let rows: Int
  let columns: Int
  private let memory: MeasuredMemory
  private let matrices: [WeightMatrix]

  init(_ kernels: SparseKernels, _ name: WeightType, _ precision: ActivationPrecision, rows: Int, columns: Int) {
    let type = ElementType(name.formats(of: .layer(0, .gate))[0])
    (self.kernels, self.name, self.type, self.precision) = (kernels, name, type, precision)
    (self.rows, self.columns) = (rows, columns)
    let size = rows * (type.rowBytes(columns: columns) ?? 0)
    memory = MeasuredMemory(bytes: size * max(1, ReadBandwidth.bytes / max(size, 1)))
    let bytes = UnsafeRawBufferPointer(memory.bytes)
    matrices = stride(from: 0, to: bytes.count - size + 1, by: max(size, 1)).compactMap {
      WeightMatrix(UnsafeRawBufferPointer(rebasing: bytes[$0..<$0 + size]), rows: rows, columns: columns, type: type)
    }
  }

  /// All kernels at all sparsities, in turn.
  func run(threads: Int, bandwidth: Double) -> [KernelMeasurement] {
    let pool = WorkerPool(threads: threads)
    return KernelMeasurement.Kernel.allCases.flatMap { kernel in
      let sparsities = kernel == .gemv ? [0] : [0] + Self.sparsities
      let works = sparsities.map { KernelWork(self, kernel, sparsity: $0, pool) }
      let times = times(works)
      return zip(works, times).map { work, time in
        let rate = Double(work.bytes) / time
        return KernelMeasurement(
          kernel: kernel, rows: rows, columns: columns, type: name, sparsity: work.sparsity, threads: threads,
          gbps: rate / 1e9, shareOfReadBandwidth: rate / bandwidth, speedupOverDense: times[0] / time)
      }
    }
  }

  /// Seconds of one product of each work: the median over rounds in which they take turns.
  private func times(_ works: [KernelWork]) -> [Double] {
    let clock = ContinuousClock()
    var rounds = works.map { _ in [Double]() }
    for _ in 0..<Self.rounds {
      for (index, work) in works.enumerated() {
        let time = clock.measure { for matrix in matrices { work.run(matrix) } }
        rounds[index].append(time.seconds / Double(matrices.count))
      }
    }
    return rounds.map { $0.quantile(0.5) }
  }
}

/// One kernel on one list, shared out as the engine shares it.
private final class KernelWork {
  let sparsity: Double
  /// Of the rows that one product reads.
  let bytes: Int
  private let pool: WorkerPool
  private var matrix: WeightMatrix?
  private var body: (Int) -> Void = { _ in }
  private let tasks: Int

  init(_ bench: KernelBench, _ kernel: KernelMeasurement.Kernel, sparsity: Double, _ pool: WorkerPool) {
    let (kernels, tasks) = (bench.kernels, pool.threads == 1 ? 1 : 4 * pool.threads)
    // Zeros: products stay zeros however often they are multiplied.
    let x = KernelInput(count: bench.columns, bench.precision)
    kernels.prepare(x)
    let list = KeptList(rows: bench.rows, sparsity: sparsity, kernels)
    let sums = (0..<tasks).map { _ in MeasuredMemory(bytes: 4 * bench.columns) }
    let product = MeasuredMemory(bytes: 4 * bench.rows)
    (self.sparsity, self.pool, self.tasks) = (sparsity, pool, tasks)
    bytes = (kernel == .gemv ? bench.rows : list.count) * (bench.type.rowBytes(columns: bench.columns) ?? 0)
    body = { [unowned self] task in
      guard let matrix else { return }
      let positions = share(task, of: list.count, among: tasks)
      switch kernel {
      case .gemv:
        kernels.gemv(matrix, x, into: product.floats, rows: share(task, of: matrix.rows, among: tasks))
      case .vmmsp: kernels.vmmsp(matrix, x, list, positions: positions)
      case .spvmm:
        kernels.spvmm(matrix, list, positions: positions, into: sums[task].floats, columns: 0..<matrix.columns)
      }
    }
  }

  func run(_ matrix: WeightMatrix) {
    self.matrix = matrix
    pool.run(tasks: tasks, body)
  }
}

extension KeptList {
  /// Rows kept at random, with zeros as values.
  fileprivate convenience init(rows: Int, sparsity: Double, _ kernels: SparseKernels) {
    self.init(channels: rows)
    var numbers = SplitMix64(state: 1)
    let kept = (0..<rows).map { _ in Double.random(in: 0..<1, using: &numbers) >= sparsity }
    kept.map { $0 ? -Float.leastNormalMagnitude : 0 }.withUnsafeBufferPointer { x in
      withUnsafePointer(to: Float.leastNormalMagnitude) { threshold in
        join(
          CollectionOfOne(
            kernels.select(x, UnsafeBufferPointer(start: threshold, count: 1), channels: 0..<rows, into: self)))
      }
    }
  }
}

extension MeasuredMemory {
  var floats: UnsafeMutableBufferPointer<Float> { bytes.assumingMemoryBound(to: Float.self) }
}
