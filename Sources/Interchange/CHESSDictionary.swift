import ActivationStatistics
import Checkpoints
import Files
import SparseBundle
import ThresholdSolver

/// The threshold dictionary of the authors of CHESS (He et al., EMNLP 2024): four lists with a tensor a layer, in a file of
/// `torch.save`. All are on magnitudes, and what is below is dropped.
public struct CHESSDictionary: Sendable {
  enum Name {
    static let attentionInputs = "attention_inputs_thresholds"
    static let attentionOutputs = "attention_outputs_thresholds"
    static let cats = "gate_proj_states_thresholds_cats"
    static let chess = "gate_proj_states_thresholds_chess"
  }

  private let bundle: ModelBundle
  private let lists: TorchLists

  /// - Parameter measured: Of each layer, for the thresholds of CATS at the bundle's sparsity, which bundles of other
  ///   methods lack; asked for where the format can carry the bundle.
  /// - Throws: ``HandoffError/cannotCarry(_:format:instead:)`` where something else than gates decides about channels, or
  ///   attention has thresholds a channel; what measuring throws.
  public init(_ bundle: ModelBundle, _ measured: @autoclosure () throws -> [GateHistograms]) throws {
    try bundle.requireThresholdsOnGatesAlone(for: .chessPt)
    self.bundle = bundle
    let thresholds = bundle.thresholds
    func scalars(_ values: (Thresholds.Layer) -> [Float]?) throws(HandoffError) -> [[Float]] {
      let all = thresholds.layers.map { values($0) ?? [0] }
      guard all.allSatisfy({ $0.count == 1 }) else {
        throw .cannotCarry(
          "thresholds of attention for each channel", format: .chessPt, instead: "solve one threshold for all")
      }
      return all
    }
    let activation = bundle.configuration.gateActivation
    lists = TorchLists([
      (Name.attentionInputs, try scalars(\.query)), (Name.attentionOutputs, try scalars(\.output)),
      (Name.cats, try measured().map { [$0.catsThreshold(sparsity: thresholds.request.sparsity, activation)] }),
      (Name.chess, thresholds.layers.map(\.ffn)),
    ])
  }

  /// Writes the file, whole or not at all.
  public func write(to path: String) throws { try writeAtomically(lists.encoded(), to: path) }
}
