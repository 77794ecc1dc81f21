import Checkpoints
import Files
import Foundation
import LinearAlgebra
import SparseBundle
import Tokenizers

/// A bundle as a folder for Hugging Face's `transformers`: the dense model as it stores any, and beside it the thresholds
/// and the code that applies them where it is trusted.
public struct TransformersHandoff: Sendable {
  private static let code = "modeling_gambit"
  private static let weightsFile = "model.safetensors"

  private let bundle: ModelBundle
  private let weights: HandoffWeights

  /// - Parameter weights: The type of the matrices, `f32` or `f16`; that of the bundle where it is one of these, or else
  ///   `f32`, unless given.
  /// - Throws: ``HandoffError/cannotCarry(_:format:instead:)``.
  public init(_ bundle: ModelBundle, weights: HandoffWeights? = nil) throws {
    self.bundle = bundle
    try bundle.requireWholeWeights(for: .transformers)
    self.weights = try .floats(weights, of: bundle, for: .transformers)
  }

  /// Writes the folder, whole or not at all, after it was read back. One that an earlier call wrote is replaced.
  ///
  /// - Parameter progress: Called with the number of weights written so far.
  /// - Throws: ``HandoffError/notReplaceable(path:)``, or what reading and writing throws.
  /// - Complexity: O(weights) time; memory for a layer, or the embeddings.
  public func write(to path: String, progress: (_ weights: Int) -> Void = { _ in }) throws {
    let files: Set = [Self.code + ".py", Self.weightsFile, BundleFile.thresholds]
    try HandoffFolder(format: .transformers, files: files).write(bundle, to: path) { folder in
      let tokenizer = try bundle.tokenizer
      try bundle.writeHuggingFaceFiles(to: folder, tokenizer, sparseModule: Self.code)
      try writeAtomically(bundle.thresholds.encoded(), to: folder + "/" + BundleFile.thresholds)
      try writeAtomically(PackageResources.modeling_gambit_py, to: folder + "/" + Self.code + ".py")
      try writeWeights(to: folder + "/" + Self.weightsFile, progress)
      guard try readsBack(folder, tokenizer) else { throw HandoffError.unfaithful(path: path) }
    }
  }

  private func writeWeights(to path: String, _ progress: (Int) -> Void) throws {
    let c = bundle.configuration
    let lessOne = TensorNaming.huggingFace.storesNormsLessOne(c.architecture)
    let header = try SafetensorsHeader(
      placing: c.modelTensors.map { tensor in
        .init(
          name: TensorNaming.huggingFace.name(of: tensor, in: c.architecture),
          type: weights.encoding(of: tensor, in: c).type ?? .f32, shape: c.shape(of: tensor) ?? [])
      }, metadata: ["format": "pt"])
    let file = try FileWriter(creating: path)
    try file.write(header.encoded())
    var source = TensorSource(bundle.weights)
    var written = 0
    for tensor in c.modelTensors {
      let matrix = try source.values(of: tensor)
      let stored = lessOne && tensor.isNorm ? matrix.subtractingOne() : matrix
      try weights.encoding(of: tensor, in: c).forEachPiece(of: stored) { try file.write($0) }
      written += matrix.rows * matrix.columns
      progress(written)
    }
  }

  private func readsBack(_ folder: String, _ tokenizer: TokenizerModel) throws -> Bool {
    let checkpoint = try Checkpoint.open(folder)
    return try checkpoint.configuration == bundle.configuration && checkpoint.tokenizer == tokenizer
  }
}

extension ModelTensor {
  fileprivate var isNorm: Bool {
    switch self {
    case .embeddings, .outputHead: false
    case .finalNorm: true
    case .layer(_, let part):
      [.attentionNorm, .queryNorm, .keyNorm, .attentionPostNorm, .ffnNorm, .ffnPostNorm].contains(part)
    }
  }
}

extension Matrix {
  fileprivate func subtractingOne() -> Matrix { Matrix(rows: rows, columns: columns, values: values.map { $0 - 1 }) }
}
