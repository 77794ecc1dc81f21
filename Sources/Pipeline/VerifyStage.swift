import Reports
import SparseBundle
import SparseRuntime
import Tokenizers

/// bundle → whether it is what it says
public struct VerifyStage: Sendable {
  public init() {}

  /// What was checked, in the order of trust: files, then layout, then what a runtime computes from them.
  ///
  /// - Complexity: O(weights) to unpack, and two decodings of the golden texts.
  public func run(_ path: String, _ console: Console) -> [BundleCheck] {
    var (checks, bundle) = BundleVerification(path: path).run()
    guard let bundle, checks.allSatisfy(\.ok) else { return checks }
    do {
      let golden = try bundle.golden
      let tokens = Double(golden.texts.reduce(0) { $0 + $1.tokens.count })
      let replay = try console.task("verify: golden vectors", total: tokens, unit: "tokens") { task in
        try GoldenReplay(golden, SparseModel(bundle)) { task.advance(to: $0 * tokens) }
      }
      checks.append(
        BundleCheck("tokenizer") {
          let size = try Tokenizer(bundle.tokenizer).vocabularySize
          guard size <= bundle.configuration.vocabularySize else {
            throw PipelineError.foreignTokens(sample: BundleFile.tokenizer, model: path)
          }
          return "\(size) tokens"
        })
      checks += Self.checks(of: replay, bundle.manifest.golden)
      checks.append(
        BundleCheck(
          name: "stated loss of the weights' type",
          ok: golden.sourceDifference == bundle.manifest.golden.sourceDifference,
          detail: "greatest difference \(Format.scientific(golden.sourceDifference)) recorded"))
    } catch {
      checks.append(BundleCheck(name: "golden vectors", ok: false, detail: "\(error)"))
    }
    return checks
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
          "\(wrong.count) of \(replay.decisions) decisions differ, first in layer \($0.layer), channel \($0.channel)"
        } ?? "\(replay.decisions) decisions, \(replay.disagreements.count) ties within rounding"),
    ]
  }
}
