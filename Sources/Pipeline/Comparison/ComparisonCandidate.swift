import Checkpoints
import Crypto
import Evaluation
import Files
import Foundation
import SparseBundle
import ThresholdSolver

/// A row before it is measured.
struct ComparisonCandidate {
  /// What a token's bytes are counted by.
  enum Storage {
    case bundle(WeightType)
    /// A number that does not depend on what is dropped.
    case file(Double)
  }

  var label: String
  var kind: ComparisonRow.Kind
  var weightsName: String
  var source: any WeightSource
  /// Candidates of one group share their source's layers in a walk.
  var group: String
  var thresholds: Thresholds?
  var storage: Storage
  var measuredOn: ComparisonRow.MeasuredOn

  /// Everything that the row depends on. A finished row is kept under it.
  var key: String {
    StageCache.fingerprint([
      label, kind.rawValue, group, measuredOn.modelSha256, measuredOn.tokensSha256, "\(measuredOn.sequenceLength)",
      measuredOn.thresholdsSha256 ?? "", measuredOn.weightsSha256 ?? "", "\(storage)",
    ])
  }

  func row(_ measured: Perplexity) -> ComparisonRow {
    let activated = ActivatedParameters(source.configuration, shares: measured.shares)
    return ComparisonRow(
      label: label, kind: kind, weights: weightsName, request: thresholds?.request,
      realised: measured.shares.isEmpty ? nil : Thresholds.Shares(meanOf: measured.shares), layers: measured.shares,
      activatedParameters: activated.sparse, activatedShare: activated.share, bytesPerToken: bytes(measured.shares),
      tokens: measured.tokens, perplexity: measured.perplexity, nll: measured.nll,
      nllStderr: measured.nllEstimate.standardError, kl: measured.kl, klStderr: measured.klEstimate?.standardError,
      top1Agreement: measured.top1Agreement, measuredOn: measuredOn)
  }

  private func bytes(_ shares: [Thresholds.Shares]) -> Double {
    switch storage {
    case .file(let bytes): bytes
    case .bundle(let type): TokenBytes(source.configuration, type, shares: shares, thresholds).sparse
    }
  }
}

extension ComparisonCandidate {
  /// The model's own weights, dense, as a bundle of `type` holds them.
  init(_ model: Checkpoint, as type: WeightType, label: String, _ measuredOn: ComparisonRow.MeasuredOn) {
    self.init(
      label: label, kind: .dense, weightsName: type.rawValue,
      source: type == .f32 ? model.weights : RoundedWeights(model.weights, type), group: type.rawValue,
      storage: .bundle(type), measuredOn: measuredOn)
  }

  /// The same under thresholds.
  init(
    _ model: Checkpoint, as type: WeightType, _ thresholds: Thresholds, _ measuredOn: ComparisonRow.MeasuredOn
  ) throws {
    // What grades weights has planes of its own, whatever the others are rounded to.
    if type.isInPlanes { try type.check(holds: thresholds) }
    let type = thresholds.planes.map(WeightType.init) ?? type
    self.init(model, as: type, label: thresholds.request.fileLabel, measuredOn)
    kind = .method
    self.thresholds = thresholds
    let digest = try thresholds.digest
    self.measuredOn.thresholdsSha256 = digest
    // Scales are shared by weights that lie next to each other, so that another order rounds differently.
    if type.isQuantized, let factorRows = FactorRows(thresholds) {
      source = RoundedWeights(model.weights, type, factorRows)
      group += digest
    }
  }
}

extension ComparisonRow.MeasuredOn {
  init(_ text: TokenWindows, modelHash: String) {
    var hash = SHA256()
    for window in text.windows { window.withUnsafeBytes { hash.update(bufferPointer: $0) } }
    self.init(
      modelSha256: modelHash, tokensSha256: hash.finalize().hexadecimal, windows: text.windows.count,
      sequenceLength: text.length, toolVersion: Gambit.version)
  }
}

extension Thresholds {
  /// SHA-256 of the thresholds as a file.
  var digest: String {
    get throws { SHA256.hash(data: Data(try encoded())).hexadecimal }
  }
}
