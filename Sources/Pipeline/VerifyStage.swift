import Checkpoints
import Reports
import Signatures
import SparseBundle
import SparseRuntime
import Tokenizers

/// bundle → whether it is what it says
public struct VerifyStage: Sendable {
  /// Prompts that both decoders continue, beside the golden vectors.
  public var prompts: [String]
  /// Tokens after each prompt.
  public var tokensPerPrompt: Int
  /// The budget at which they do; the bundle's default where it is `nil`. Golden vectors are replayed at every budget.
  public var sparsity: Double?
  public var threads: Int
  /// Whose signature the bundle must have; it need have none where there are none.
  public var trusted: [TrustedKey]
  /// What the stated quality is measured again with; it is not where this is `nil`.
  public var remeasuring: Remeasuring?

  /// Before a bundle is signed or handed on: its files are what its manifest says.
  ///
  /// - Throws: ``PipelineError/verificationFailed(bundle:checks:)``.
  /// - Complexity: O(the files' bytes) time.
  public static func requireIntact(_ bundle: String) throws {
    let failed = BundleVerification(path: bundle).run().checks.filter { !$0.ok }.map(\.name)
    if !failed.isEmpty { throw PipelineError.verificationFailed(bundle: bundle, checks: failed) }
  }

  /// The text that a bundle's quality was measured on, and its source, without which there is no KL.
  public struct Remeasuring: Sendable {
    let source: Checkpoint?
    let text: LossText

    /// - Parameters:
    ///   - bundle: What messages call it.
    ///   - model: A path.
    /// - Throws: ``PipelineError`` where the bundle was made from another model, or measured on another text.
    public init(
      _ quality: BundleQuality, of stated: BundleManifest.Model, _ bundle: String, model: String?, _ text: LossText
    ) throws {
      source = try model.map { try Checkpoint.open($0) }
      if let source, try source.hash != stated.sha256 {
        throw PipelineError.otherModel(file: bundle, model: source.path)
      }
      let given = try text.name()
      guard given == quality.text else {
        throw PipelineError.otherText(bundle: bundle, stated: quality.text, given: given)
      }
      self.text = text
    }
  }

  public init(
    prompts: [String] = [], tokensPerPrompt: Int = 64, sparsity: Double? = nil, threads: Int = 1,
    trusted: [TrustedKey] = [], remeasuring: Remeasuring? = nil
  ) {
    self.trusted = trusted
    self.remeasuring = remeasuring
    self.prompts = prompts
    self.sparsity = sparsity
    self.tokensPerPrompt = tokensPerPrompt
    self.threads = threads
  }

  /// What was checked, in the order of trust: files, then layout, then what a runtime computes from them.
  ///
  /// - Complexity: O(weights) to unpack, twice, and a decoding of the golden texts for each budget and a dense one. One
  ///   layer's float32 weights are in memory at a time, and then the output head's.
  public func run(_ path: String, _ console: Console) -> [BundleCheck] {
    var (checks, bundle) = BundleVerification(path: path).run()
    if !trusted.isEmpty {
      checks.append(
        BundleCheck("signature") {
          "by a trusted key, over \(try FolderSignature.check(path, trusting: trusted)) files"
        })
    }
    guard let bundle, checks.allSatisfy(\.ok) else { return checks }
    do {
      let sparsities = bundle.manifest.sparsification.sparsities
      let budgets = try sparsities.map { sparsity in
        let budget = try ModelBundle(path: path, sparsity: sparsity)
        return GoldenReplay.Budget(try budget.golden, budget.thresholds)
      }
      let replays = try replay(budgets, bundle, console)
      checks.append(
        BundleCheck("tokenizer") {
          let size = try Tokenizer(bundle.tokenizer).vocabularySize
          guard size <= bundle.configuration.vocabularySize else {
            throw PipelineError.foreignTokens(sample: BundleFile.tokenizer, model: path)
          }
          return "\(size) tokens"
        })
      let recorded = budgets[0].golden.sourceDifference
      checks += Self.checks(of: replays[0], bundle.manifest.golden)
      checks.append(
        BundleCheck(
          name: "stated loss of the weights' type", ok: recorded == bundle.manifest.golden.sourceDifference,
          detail: "greatest difference \(Format.scientific(recorded)) recorded"))
      for (sparsity, replay) in zip(sparsities, replays).dropFirst() {
        checks += Self.checks(of: replay, bundle.manifest.golden).map { check in
          BundleCheck(name: "\(check.name) at sparsity \(sparsity)", ok: check.ok, detail: check.detail)
        }
      }
      if !prompts.isEmpty {
        checks += try compareDecoders(ModelBundle(path: path, sparsity: sparsity), console)
      }
    } catch {
      checks.append(BundleCheck(name: "golden vectors", ok: false, detail: "\(error)"))
      return checks
    }
    if let remeasuring {
      do { checks += try measureAgain(bundle, remeasuring, console) } catch {
        checks.append(BundleCheck(name: "quality", ok: false, detail: "\(error)"))
      }
    }
    return checks
  }

  private func measureAgain(
    _ bundle: ModelBundle, _ remeasuring: Remeasuring, _ console: Console
  ) throws -> [BundleCheck] {
    let stated = bundle.manifest.quality
    let thresholds = try bundle.manifest.sparsification.sparsities.map {
      try ModelBundle(path: bundle.path, sparsity: $0).thresholds
    }
    let source = remeasuring.source?.weights
    let windows = try remeasuring.text.windows(bundle.tokenizer, bundle.configuration, model: bundle.path)
    let again = try QualityMeasurement(text: remeasuring.text, windows: windows, threads: threads).run(
      bundle.weights, beside: source ?? bundle.weights, thresholds, console, name: "verify: quality")
    return stated.checks(again, besideModel: source != nil)
  }

  private func replay(
    _ budgets: [GoldenReplay.Budget], _ bundle: ModelBundle, _ console: Console
  ) throws -> [GoldenReplay] {
    let tokens = Double(budgets.flatMap(\.golden.texts).reduce(0) { $0 + $1.tokens.count })
    return try console.task("verify: golden vectors", total: tokens, unit: "tokens") { task in
      try GoldenReplay.all(budgets, bundle, threads: threads) { task.advance(to: $0 * tokens) }
    }
  }

  /// The fast engine beside the plain decoder.
  private func compareDecoders(_ bundle: ModelBundle, _ console: Console) throws -> [BundleCheck] {
    let tokenizer = try Tokenizer(bundle.tokenizer)
    let prompts = prompts.map { tokenizer.encode($0, addingSpecialTokens: true) }.filter { !$0.isEmpty }
    let weights = try GenerateStage.weights(of: bundle, console)
    let total = Double(prompts.count * tokensPerPrompt)
    let comparison = try console.task("verify: decoders", total: total, unit: "tokens") { task in
      try DecoderComparison(bundle, weights, prompts: prompts, count: tokensPerPrompt, threads: threads) {
        task.advance(to: $0 * total)
      }
    }
    let wrong = comparison.wrongDecisions
    return [
      BundleCheck(
        name: "engine's tokens", ok: comparison.otherTokens == 0,
        detail: "\(comparison.tokens) tokens, \(comparison.otherTokens) unlike the reference decoder's, greatest "
          + "difference of logits \(Format.scientific(comparison.difference))"),
      BundleCheck(
        name: "engine's masks", ok: wrong.isEmpty,
        detail: "\(comparison.decisions) decisions, \(wrong.count) unlike the reference decoder's, "
          + "\(comparison.disagreements.count - wrong.count) ties within rounding"),
    ]
  }

  private static func checks(of replay: GoldenReplay, _ stated: BundleManifest.Golden) -> [BundleCheck] {
    func compare(_ name: String, _ difference: Double, _ limit: Double) -> BundleCheck {
      BundleCheck(
        name: name, ok: difference <= limit,
        detail: "greatest difference \(Format.scientific(difference)), at most \(Format.scientific(limit)) allowed")
    }
    let wrong = replay.wrongDecisions
    return [
      compare("golden dense logits", replay.denseDifference, stated.tolerance),
      compare("golden sparse logits", replay.sparseDifference, stated.tolerance),
      compare("source model's logits", replay.sourceDifference, stated.sourceDifference + stated.tolerance),
      BundleCheck(
        name: "golden masks", ok: wrong.isEmpty,
        detail: wrong.first.map {
          "\(wrong.count) of \(replay.decisions) decisions differ, first in \($0.place)"
        } ?? "\(replay.decisions) decisions, \(replay.disagreements.count) ties within rounding"),
    ]
  }
}
