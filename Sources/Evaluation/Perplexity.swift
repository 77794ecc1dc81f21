import Foundation
import ThresholdSolver

/// How well a model predicts a text, and how far it is from the dense model there.
public struct Perplexity: Sendable, Equatable {
  /// Losses by cluster: by document, or by window where all tokens are of one document. Two models that were measured
  /// on one text have the same clusters in the same order, so that their difference has a paired standard error.
  public let clusters: [LossSums]
  public let isClusteredByDocument: Bool
  /// What each layer dropped; empty where every channel was kept.
  public let shares: [Thresholds.Shares]
  private let isReference: Bool

  init(clusters: [LossSums], isClusteredByDocument: Bool, shares: [Thresholds.Shares], isReference: Bool) {
    self.clusters = clusters
    self.isClusteredByDocument = isClusteredByDocument
    self.shares = shares
    self.isReference = isReference
  }

  /// Predicted tokens.
  public var tokens: Int { clusters.reduce(0) { $0 + $1.tokens } }
  /// Mean negative log-likelihood of a token, in nats.
  public var nll: Double { nllEstimate.mean }
  public var perplexity: Double { exp(nll) }
  public var nllEstimate: Estimate { estimate(\.nll) }
  /// Mean KL(dense‖sparse) of a token, in nats; `nil` for the dense model itself.
  public var kl: Double? { klEstimate?.mean }
  public var klEstimate: Estimate? { isReference ? nil : estimate(\.kl) }
  /// The share of positions whose most likely token is the dense model's; `nil` for the dense model itself.
  public var top1Agreement: Double? { top1Estimate?.mean }
  public var top1Estimate: Estimate? { isReference ? nil : estimate { Double($0.agreements) } }

  /// This model's mean less another's, paired by document: `sparse.difference(from: dense, \.nll)`.
  ///
  /// - Precondition: both were measured on the same text.
  public func difference(from other: Perplexity, _ value: (LossSums) -> Double) -> Estimate {
    precondition(clusters.map(\.tokens) == other.clusters.map(\.tokens))
    return Estimate(
      sums: zip(clusters, other.clusters).map { value($0) - value($1) }, counts: clusters.map(\.tokens))
  }

  private func estimate(_ value: (LossSums) -> Double) -> Estimate {
    Estimate(sums: clusters.map(value), counts: clusters.map(\.tokens))
  }
}
