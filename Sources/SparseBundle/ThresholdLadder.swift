import ThresholdSolver

/// What a bundle may be asked to drop: thresholds of one method for several sparsities, over the same weights.
///
/// The first is what a runtime takes unless asked for another.
public struct ThresholdLadder: Sendable, Equatable {
  public let first: Thresholds
  public let others: [Thresholds]

  /// - Throws: ``BundleError/unlikeBudgets(reason:)`` where they were not solved alike, or need other weights.
  public init(_ first: Thresholds, others: [Thresholds] = []) throws(BundleError) {
    for other in others {
      guard other.request.differsInBudgetOnly(from: first.request) else {
        throw .unlikeBudgets(reason: "they are of different methods or options: solve them alike")
      }
      guard other.provenance == first.provenance else {
        throw .unlikeBudgets(
          reason: "they were solved from different statistics or measured on different texts: solve them in one command"
        )
      }
      guard FactorRows(other) == FactorRows(first) else {
        throw .unlikeBudgets(
          reason:
            "their channels differ in source, by which weights are stored where inputs are cut: solve them with --sources-at, and cut inputs of all or of none"
        )
      }
    }
    let sparsities = ([first] + others).map(\.request.sparsity)
    guard Set(sparsities).count == sparsities.count else {
      throw .unlikeBudgets(reason: "two of them are for the same sparsity: give each once")
    }
    self.first = first
    self.others = others
  }

  /// The first, then the others.
  public var all: [Thresholds] { [first] + others }

  /// How gate and up projections are stored, where not as they are.
  public var factorRows: FactorRows? { FactorRows(first) }
}

extension SolverRequest {
  /// Cuts may differ: by default one depends on the sparsity.
  fileprivate func differsInBudgetOnly(from other: Self) -> Bool {
    var same = self
    (same.sparsity, same.secondCut, same.inputCut) = (other.sparsity, other.secondCut, other.inputCut)
    return same == other
  }
}

extension Thresholds {
  fileprivate var provenance: Provenance {
    Provenance(
      hashes: [modelHash, corpusHash, statisticsHash], allocation: allocationMeasuredOn, head: headMeasuredOn)
  }
}

/// What a manifest states once for all budgets.
private struct Provenance: Equatable {
  var hashes: [String]
  var allocation: ProbedText?
  var head: ProbedText?
}
