import ActivationStatistics
import Checkpoints

/// How magnitudes of a gate activation lie inside the bins near the activation's least value.
///
/// SiLU and GELU fall to a minimum `-M` and rise again to 0, so that |g| folds back at `M`. Around the
/// minimum a whole range of inputs gives nearly the same g: the density of |g| grows as `1/√(M - v)`
/// below `M` and ends there. Taken as evenly spread, the bin that holds `M` misplaces up to 3 points of a
/// layer's share. Near `M` a bin's count is therefore split into an even part, as dense as the first bin
/// wholly above `M`, where only positive inputs lead, and a folded part with that density.
struct FoldedDensity {
  /// Bins that are split, and the one whose density the even part takes.
  let bins: Range<Int>
  let reference: Int
  private let fold: Double  // M

  init(_ activation: GateActivation) {
    fold =
      switch activation {
      case .silu: 0.278_464_54
      case .geluTanh: 0.170_040_75
      }
    let edges = LogarithmicBins.edges
    let first = 0.67 * fold  // below, the density is as good as even
    let start = LogarithmicBins.bin(of: Float(first))
    reference = LogarithmicBins.bin(of: Float(fold)) + 1
    bins = (edges[start] < first ? start + 1 : start)..<reference
  }

  /// The share of a bin's values below `t`.
  ///
  /// - Parameters:
  ///   - bin: One of ``bins``, which holds `t`.
  ///   - count: Its values.
  ///   - referenceCount: Those of the bin ``reference``.
  func share(of bin: Int, below t: Double, count: Double, referenceCount: Double) -> Double {
    let edges = LogarithmicBins.edges
    let (low, high) = (edges[bin], edges[bin + 1])
    let linear = min(max((t - low) / (high - low), 0), 1)
    guard count > 0 else { return linear }
    let density = referenceCount / (edges[reference + 1] - edges[reference])
    let even = min(density * (high - low) / count, 1)
    let folded = (root(low) - root(t)) / (root(low) - root(high))
    return even * linear + (1 - even) * min(max(folded, 0), 1)
  }

  private func root(_ v: Double) -> Double { max(0, fold - v).squareRoot() }
}
