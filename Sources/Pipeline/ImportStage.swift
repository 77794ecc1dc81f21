import Checkpoints
import Corpus
import Evaluation
import Interchange
import Reports
import SparseBundle
import ThresholdSolver

/// thresholds computed elsewhere and a model → bundle
public struct ImportStage: Sendable {
  /// Writes the bundle. Its losses are measured on the text of this stage, and so are the shares that the thresholds drop
  /// and, where they are relative, the magnitudes that they stand for.
  public var export: ExportStage

  /// How far what is dropped may lie from what the file says before it is worth a word.
  private static let tolerance = 0.03

  public init(export: ExportStage) { self.export = export }

  /// - Throws: What measuring and writing throws.
  @discardableResult
  public func run(
    _ model: Checkpoint, _ foreign: ForeignThresholds, output: String, _ console: Console
  ) throws -> ExportStage.Output {
    try BundleWriter.checkReplaceable(output)
    return try export.run(model, thresholds(model, foreign, console), output: output, console)
  }

  private func thresholds(
    _ model: Checkpoint, _ foreign: ForeignThresholds, _ console: Console
  ) throws -> Thresholds {
    let measurement = GateMeasurement(text: export.text, threads: export.threads)
    let windows = try measurement.windows(model.tokenizer, model.configuration, model: model.path)
    var ffn = foreign.layers.map(\.ffn)
    if foreign.isRelative {
      let measured = try measurement.run(model.weights, windows, console).layers
      let activation = model.configuration.gateActivation
      ffn = zip(measured, ffn).map { $0.magnitudes(keepingAsOftenAs: $1, activation) }
    }
    let attention = foreign.cutsAttention
    let layers = zip(foreign.layers, ffn).map { layer, ffn in
      Thresholds.Layer(ffn: ffn, query: attention ? [layer.query] : nil, output: attention ? [layer.output] : nil)
    }
    var thresholds = Thresholds(
      request: try SolverRequest(method: .imported, attention: attention, sparsity: 0),
      layers: layers, realised: Thresholds.Shares(ffn: 0), modelHash: try model.hash,
      corpusHash: TokenSequences.hash(of: windows.windows), statisticsHash: foreign.hash)
    let tokens = Double(windows.probed.tokens)
    let walk = try console.task("import: shares dropped", total: tokens, unit: "tokens") { task in
      let layers = Double(model.configuration.layerCount)
      return try ThresholdWalk(model.weights, threads: export.threads)
        .run(windows.windows, thresholds) { task.advance(to: Double($0) / layers * tokens) }
    }
    thresholds.realised = Thresholds.Shares(meanOf: walk.shares)
    let found = thresholds.realised.ffn
    if let claimed = foreign.claimedSparsity, abs(claimed - found) > Self.tolerance {
      console.note(
        "import: the file says that \(Format.percent(claimed)) of the channels are dropped; of this text it is \(Format.percent(found))"
      )
    }
    // Nobody asked for a share here: what is found says best what these thresholds do.
    thresholds.request = try SolverRequest(
      method: .imported, attention: attention, sparsity: (1000 * found).rounded() / 1000)
    return thresholds
  }
}
