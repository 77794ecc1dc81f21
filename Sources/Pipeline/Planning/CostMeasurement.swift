import ActivationStatistics
import Checkpoints
import Corpus
import Crypto
import Evaluation
import Files
import Foundation
import HDF5
import LinearAlgebra
import SparseBundle
import ThresholdSolver
import Tokenizers
import Transformer

/// Finds what work with a model costs here, from a first layer, a little text and a few seconds.
///
/// Everything is measured with the code that the stages run, on as many threads; each figure is the least of several
/// rounds, which other processes disturb least.
struct CostMeasurement {
  /// Operations of a pass on one thread, by which its tokens are chosen.
  private static let operations = 8e9
  private static let textBytes = 200_000

  let model: Checkpoint
  let shape: PipelineShape
  let sources: [TextSource]
  /// Where a layer of statistics can be written.
  let folder: String

  /// More than this machine has would measure nothing, and take memory that another machine may have.
  private var threads: Int { min(shape.threads, ProcessInfo.processInfo.activeProcessorCount) }

  func run() throws -> MachineCosts {
    var seconds: [Work: Double] = [.starting: 0.1]
    let first = try timed(&seconds, .loading) { try model.weights.layer(0) }
    try measurePasses(first, &seconds)
    let statistics = try measureStatistics(first, &seconds)
    let packed = try measureWeights(first, &seconds)
    let density = try measureText(&seconds)
    return MachineCosts(
      gemmGflops: try MatrixProduct.peakRate(threads: threads) / 1e9,
      diskBytesPerSecond: try DiskRate.bytesPerSecond(ofModel: model.path), seconds: seconds,
      statisticsBytes: statistics.bytes, statisticsTokens: statistics.tokens, packedShare: packed,
      tokensPerByte: density)
  }

  // MARK: Passes

  /// Tokens of a sequence such that a pass takes no longer than it must to be measured.
  private var probedLength: Int {
    let wanted = Int(Self.operations / shape.operations(sequenceLength: shape.sequenceLength))
    return max(min(shape.sequenceLength, wanted), min(shape.sequenceLength, 48))
  }

  private func measurePasses(_ first: LayerWeights, _ seconds: inout [Work: Double]) throws {
    let c = shape.configuration
    let pass = ForwardPass(c, longest: shape.sequenceLength, threads: threads)
    seconds[.forward] = try perToken(pass) { states in try pass.run(first, index: 0, states, tap: DenseTap()) }
    let collector = StatisticsCollector(shape.widths.withoutScores, sinkPositions: shape.sinks, workers: threads)
    seconds[.counting] = try perToken(pass) { states in try pass.run(first, index: 0, states, tap: collector) }
    let masks = Thresholds.Layer(
      ffn: [Float](repeating: 0.01, count: c.intermediateSize),
      query: [Float](repeating: 0.01, count: c.hiddenSize), output: [Float](repeating: 0.01, count: c.queryWidth))
    seconds[.masking] = try perToken(pass) { states in try pass.run(first, index: 0, states, tap: ThresholdTap(masks)) }
    try measureHead(first, &seconds)
  }

  /// Seconds of a token of the pipeline's sequences: a pass costs something for its weights, whatever its length, and
  /// something for each token, both of which follow from two lengths.
  private func perToken(_ pass: ForwardPass, _ run: (HiddenStates) throws -> Void) throws -> Double {
    let long = probedLength
    func time(_ length: Int) throws -> Double {
      let states = try states(pass, length: length, sequences: threads)
      return try least { try run(states) }
    }
    if long == shape.sequenceLength { return try time(long) / Double(long * threads) }
    let short = max(long / 3, 1)
    let (few, many) = (try time(short), try time(long))
    let each = max((many - few) / Double(long - short), many / Double(long) / 4)
    let whole = few - each * Double(short) + each * Double(shape.sequenceLength)
    return whole / Double(shape.sequenceLength * threads)
  }

  /// Sequences side by side, one a thread or more, all of them different.
  private func states(_ pass: ForwardPass, length: Int, sequences: Int) throws -> HiddenStates {
    try pass.embed((0..<sequences).map { tokens(length, from: $0 * length) }, model.weights)
  }

  private func tokens(_ count: Int, from first: Int) -> [Int32] {
    (first..<first + count).map { Int32($0 * 104_729 % shape.configuration.vocabularySize) }
  }

  /// A model of one layer, dense and beside it dense again: what is left without the layer is the head's.
  private func measureHead(_ first: LayerWeights, _ seconds: inout [Work: Double]) throws {
    let operations = 2 * Double(shape.headWeights)
    let length = max(min(shape.sequenceLength, Int(Self.operations / operations)), 16)
    let one = OneLayer(model.weights, first)
    let windows = (0..<threads).map { self.tokens(length, from: $0 * length) }
    let measure = { (windows: [[Int32]]) throws -> Double in
      try least { _ = try PerplexityMeasurement(one, threads: threads).run(windows, [Thresholds]()) }
    }
    let short = windows.map { Array($0.prefix(max(length / 8, 2))) }
    let (few, many) = (try measure(short), try measure(windows))
    let tokens = Double((windows[0].count - short[0].count) * threads)
    seconds[.predicting] = max((many - few) / tokens - (seconds[.forward] ?? 0), many / tokens / 10)
  }

  // MARK: Statistics

  private func measureStatistics(
    _ first: LayerWeights, _ seconds: inout [Work: Double]
  ) throws -> (bytes: Double, tokens: Int) {
    let length = probedLength
    let sequences = 2 * threads
    let pass = ForwardPass(shape.configuration, longest: length, threads: threads)
    let states = try states(pass, length: length, sequences: sequences)
    let collector = StatisticsCollector(shape.widths.withoutScores, sinkPositions: shape.sinks, workers: threads)
    try pass.run(first, index: 0, states, tap: collector)
    let description = StatisticsDescription(
      modelName: model.name, modelHash: "", corpusHash: "", configuration: OneLayer(model.weights, first).configuration,
      sequenceLength: length, sequenceCount: sequences, sinkPositions: shape.sinks, coverage: [0..<sequences],
      toolVersion: Gambit.version)
    let path = folder + "/statistics.h5"
    try timed(&seconds, .storing) {
      let checkpoint = try StatisticsCheckpoint(of: description, for: path, resuming: .never)
      try checkpoint.store(collector.finish(layer: 0), layer: 0)
      try checkpoint.finish()
    }
    // Its one thread works beside those that count.
    seconds[.storing]? /= Double(threads)
    let record = try timed(&seconds, .restoring) { try StatisticsFile(path: path).layer(0) }
    let requests = shape.requests.filter { !$0.method.gradesWeights && !$0.method.cutsInputs }
    let solving = clock {
      let norms = requests.contains { $0.method.weighsColumns } ? ColumnNorms(first) : nil
      for layer in Thresholds.Layer.solve(
        record, requests, gateActivation: shape.configuration.gateActivation, norms: norms)
      {
        _ = layer.sharesDropped(record, gateActivation: shape.configuration.gateActivation)
      }
    }
    // Others take about as long each.
    seconds[.solving] = solving * Double(shape.requests.count) / Double(max(requests.count, 1))
    return (Double(try FileReader(path: path).count), length * sequences)
  }

  // MARK: Weights, text, disk

  /// The share that is left of a bundle's weights when they are compressed.
  private func measureWeights(_ first: LayerWeights, _ seconds: inout [Work: Double]) throws -> Double {
    let rows = max(1, min(first.gate.rows, 1_000_000 / first.gate.columns))
    let values = Array(UnsafeBufferPointer(start: first.gate.base, count: rows * first.gate.columns))
    let part = { Matrix(rows: rows, columns: first.gate.columns, values: values) }
    var packed: PackedSample?
    let packing = try least { packed = try PackedSample(part(), as: shape.type) }
    guard let packed else { return 1 }
    let count = Double(packed.weights)
    seconds[.packing] = packing / count
    seconds[.unpacking] = try least { try packed.unpack() } / count
    let rounding = try least { try PackedSample.round(part(), as: shape.type) }
    seconds[.rounding] = (seconds[.loading] ?? 0) + rounding / count * Double(shape.layerWeights)
    // Two texts, dense and sparse, are decoded side by side.
    seconds[.plainProducts] = plainProduct(first.gate, rows: rows) / count / Double(min(threads, 4))
    let bytes = [UInt8](repeating: 1, count: 16 << 20)
    seconds[.hashing] = least { _ = SHA256.hash(data: bytes) } / Double(bytes.count)
    return Double(packed.packedBytes) / Double(packed.storedBytes)
  }

  private func plainProduct(_ matrix: Matrix, rows: Int) -> Double {
    let x = [Float](repeating: 0.5, count: matrix.columns)
    var total: Float = 0
    return least {
      for row in 0..<rows {
        let weights = matrix.row(row)
        var sum: Float = 0
        for i in x.indices { sum += weights[i] * x[i] }
        total += sum
      }
    } + (total.isNaN ? 1e-12 : 0)  // so that the sum is needed
  }

  /// Tokens a byte of each source, from its first documents; `nil` where files are compressed.
  private func measureText(_ seconds: inout [Work: Double]) throws -> [Double?] {
    let tokenizer = try Tokenizer(model.tokenizer)
    var (scanned, scanning, tokens, tokenizing) = (0, 0.0, 0, 0.0)
    let density = try sources.map { source -> Double? in
      let reader = try DocumentReader(patterns: source.patterns, field: source.field)
      var texts: [String] = []
      scanning += try clock {
        while reader.bytesRead < Self.textBytes, let document = try reader.next() { texts.append(document.text) }
      }
      let bytes = reader.bytesRead  // of files, whose sizes are known, rather than of text
      scanned += bytes
      // The first pass fills the tables of the tokenizer.
      var count = 0
      tokenizing += clock { for text in texts { count += tokenizer.encode(text).count + 1 } }
      tokens += count
      return reader.files.contains { $0.hasSuffix(".zst") || $0.hasSuffix(".gz") } || bytes == 0
        ? nil : Double(count) / Double(bytes)
    }
    seconds[.scanning] = 2 * scanning / Double(max(scanned, 1))  // cleaning and telling apart cost as much as reading
    seconds[.tokenizing] = tokenizing / Double(max(tokens, 1))
    return density
  }

  // MARK: Time

  private func timed<Result>(
    _ seconds: inout [Work: Double], _ work: Work, _ body: () throws -> Result
  ) rethrows -> Result {
    var result: Result?
    seconds[work] = try clock { result = try body() }
    guard let result else { preconditionFailure("a body that returned has a result") }
    return result
  }

  /// The least of several rounds, fewer where they are long; the first one warms up.
  private func least(_ body: () throws -> Void) rethrows -> Double {
    var (best, spent) = (Double.infinity, 0.0)
    for round in 0..<6 where round < 2 && spent < 0.5 || spent < 0.25 {
      let time = try clock(body)
      (best, spent) = (min(best, time), spent + time)
    }
    return best
  }

  private func clock(_ body: () throws -> Void) rethrows -> Double {
    let (seconds, attoseconds) = try ContinuousClock().measure(body).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}

extension LayerWidths {
  /// Scores need weights in planes.
  fileprivate var withoutScores: LayerWidths {
    var widths = self
    widths.hasScores = false
    return widths
  }
}
