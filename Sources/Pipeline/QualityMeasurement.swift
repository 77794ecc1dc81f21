import Checkpoints
import Evaluation
import Reports
import SparseBundle
import ThresholdSolver

/// Measures what weights lose under thresholds, on every position of a text.
struct QualityMeasurement {
  let text: LossText
  let windows: [[Int32]]
  let threads: Int

  /// - Parameters:
  ///   - source: The model that KL is measured from, and whose perplexity is the dense one.
  ///   - thresholds: One a budget, the default's first.
  ///   - name: What progress calls it.
  /// - Throws: What the weights throw.
  /// - Complexity: a forward pass for the model and one for each budget.
  func run(
    _ weights: any WeightSource, beside source: any WeightSource, _ thresholds: [Thresholds], _ console: Console,
    name: String
  ) throws -> BundleQuality {
    let total = Double(windows.joined().count)
    let (dense, others) = try console.task(name, total: total, unit: "tokens") { task in
      try PerplexityMeasurement(source, threads: threads)
        .run(TokenWindows(windows), [MeasuredWeights(weights, thresholds)]) { task.advance(to: $0 * total) }
    }
    return BundleQuality(
      text: try text.name(), tokens: dense.tokens, command: command, densePerplexity: dense.perplexity,
      budgets: zip(thresholds, others[0]).map { thresholds, measured in
        .init(
          sparsity: thresholds.request.sparsity, perplexity: measured.perplexity,
          // Of equal distributions the sum may come out a little below zero.
          kl: max(measured.kl ?? 0, 0),
          activatedShare: ActivatedParameters(weights.configuration, shares: measured.shares).share)
      })
  }

  private var command: String {
    "gambit verify BUNDLE --remeasure --model MODEL" + (text == .builtIn ? "" : " --text TEXT")
  }
}

extension BundleQuality {
  /// What measuring it again may differ by: on another processor sums are rounded otherwise, what lies at a threshold falls
  /// to its other side, and moves what later layers decide. Between GEMMs of AVX-512, AVX2 and SSE4.1 a bundle of SmolLM2
  /// in planes was seen to differ by 0.25% and 0.7% in perplexity and KL, the dense model by 10⁻⁷.
  enum Tolerance {
    /// Of itself.
    static let densePerplexity = 1e-4
    static let perplexity = 1e-2
    static let kl = 0.05
    /// In nats, of what is next to nothing.
    static let leastKL = 1e-6
    static let activatedShare = 1e-3
  }

  /// Whether what was measured again is what is stated, a check each budget.
  ///
  /// - Parameter besideModel: Whether the source model was there; without it neither KL nor the dense perplexity is.
  func checks(_ again: BundleQuality, besideModel: Bool) -> [BundleCheck] {
    func isNear(_ a: Double, _ b: Double, _ relative: Double, _ least: Double = 0) -> Bool {
      abs(a - b) <= max(relative * abs(a), least)
    }
    let isSame =
      again.tokens == tokens
      && (!besideModel || isNear(densePerplexity, again.densePerplexity, Tolerance.densePerplexity))
    return zip(budgets, again.budgets).map { stated, found in
      BundleCheck(
        name: "quality at sparsity \(stated.sparsity)",
        ok: isSame && isNear(stated.perplexity, found.perplexity, Tolerance.perplexity)
          && (!besideModel || isNear(stated.kl, found.kl, Tolerance.kl, Tolerance.leastKL))
          && isNear(stated.activatedShare, found.activatedShare, 0, Tolerance.activatedShare),
        detail: "perplexity \(Format.fixed(found.perplexity, 3)), \(Format.fixed(stated.perplexity, 3)) stated; "
          + (besideModel
            ? "KL \(Format.fixed(found.kl, 4)), \(Format.fixed(stated.kl, 4)) stated; " : "KL needs --model; ")
          + "\(Format.percent(found.activatedShare)) of the weights read, \(Format.percent(stated.activatedShare)) stated"
      )
    }
  }
}
