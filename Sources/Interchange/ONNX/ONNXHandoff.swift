import Checkpoints
import Files
import Foundation
import SparseBundle

/// A bundle as an ONNX model: a decoder with a key-value cache and the thresholds in it, weights in a file beside the
/// graph, and what Hugging Face's libraries read beside both.
public struct ONNXHandoff: Sendable {
  private static let graphFile = "model.onnx"

  private let bundle: ModelBundle
  private let weights: HandoffWeights

  /// - Parameter weights: The type of the matrices, `f32` or `f16`; that of the bundle where it is one of these, or else
  ///   `f32`, unless given.
  /// - Throws: ``HandoffError/cannotCarry(_:format:instead:)``.
  public init(_ bundle: ModelBundle, weights: HandoffWeights? = nil) throws {
    self.bundle = bundle
    try bundle.requireWholeWeights(for: .onnx)
    self.weights = try .floats(weights, of: bundle, for: .onnx)
  }

  /// Writes the folder, whole or not at all, after it was read back. One that an earlier call wrote is replaced.
  ///
  /// - Parameter progress: Called with the number of weights written so far.
  /// - Throws: ``HandoffError/notReplaceable(path:)``, or what reading and writing throws.
  /// - Complexity: O(weights) time; memory for a layer, or the embeddings.
  public func write(to path: String, progress: (_ weights: Int) -> Void = { _ in }) throws {
    let external = ExternalWeights(bundle, weights)
    let thresholds = try EncodedThresholds(bundle.thresholds)
    let model = DecoderGraph(bundle.configuration, external, thresholds).graph.model(
      name: bundle.manifest.model.name,
      metadata: thresholds.metadata.map { (key: "gambit.thresholds.\($0.key)", value: $0.value) })
    try HandoffFolder(format: .onnx, files: [Self.graphFile, ExternalWeights.file]).write(bundle, to: path) { folder in
      try bundle.writeHuggingFaceFiles(to: folder, bundle.tokenizer)
      try writeAtomically(model.serializedBytes() as [UInt8], to: folder + "/" + Self.graphFile)
      try external.write(to: folder + "/" + ExternalWeights.file, progress: progress)
      guard try readsBack(folder, model) else { throw HandoffError.unfaithful(path: path) }
    }
  }

  private func readsBack(_ folder: String, _ model: ONNXModel) throws -> Bool {
    let file = try FileReader(path: folder + "/" + Self.graphFile)
    return try ONNXModel(serializedBytes: file.read(at: 0, count: file.count)) == model
      && ModelConfiguration(huggingFaceConfiguration: folder + "/" + BundleFile.configuration) == bundle.configuration
  }
}
