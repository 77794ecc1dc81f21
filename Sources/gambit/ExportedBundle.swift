import Pipeline
import Reports
import SparseBundle

/// What `export` and `import` say of the bundle that they wrote.
struct ExportedBundle: Encodable {
  var output: String
  var bytes: Int
  var sparsities: [Double]
  var weights: BundleManifest.Weights
  var quality: BundleQuality
  var exact: ExactWeights

  init(_ path: String, _ done: ExportStage.Output) throws {
    let bundle = try ModelBundle(path: path)
    output = path
    bytes = try bundle.size
    sparsities = bundle.manifest.sparsification.sparsities
    weights = bundle.manifest.weights
    quality = bundle.manifest.quality
    exact = done.exact
  }

  func print(_ options: OutputOptions) throws {
    try options.print(self, text: "\(output): \(Format.bytes(bytes))\n\(summary)")
  }

  /// What was kept exactly, and what rounding costs.
  private var summary: String {
    var lines = [
      "\(weights.type.rawValue): \(Format.percent(exact.share)) of the weights and \(exact.exactMatrices) of \(exact.matrices) matrices are exactly the model's"
    ]
    for budget in quality.budgets {
      lines.append(
        "at sparsity \(budget.sparsity): perplexity \(Format.fixed(budget.perplexity, 2)), dense "
          + "\(Format.fixed(quality.densePerplexity, 2)); KL \(Format.scientific(budget.kl)) nats a token; "
          + "\(Format.percent(budget.activatedShare)) of the weights read; on \(quality.tokens) tokens")
    }
    guard weights.measuredOn != nil else { return lines.joined(separator: "\n") }
    lines.append("KL of the weights alone \(Format.scientific(weights.kl)) nats a token")
    if let rounding = weights.activationRoundingKl {
      lines.append(
        "KL of activations rounded to 8 bits \(Format.scientific(rounding)): runtimes should multiply \(weights.activations == .int8 ? "so" : "exact ones")"
      )
    }
    return lines.joined(separator: "\n")
  }
}
