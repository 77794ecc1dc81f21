import Evaluation
import SparseBundle
import ThresholdSolver

/// What `gambit evaluate perplexity` found. Standard errors are absent where the text is one cluster.
public struct PerplexityReport: Sendable, Encodable {
  /// The model with every channel kept.
  public struct Dense: Sendable, Encodable {
    public var perplexity: Double
    public var nll: Double
    public var nllStderr: Double?
    public var bytesPerToken: Double
    /// Whose weights it has.
    public var weights: MeasuredSource.DenseWeights
  }

  /// The shares of a place that were not read, read by the high plane alone, and by both.
  public struct Grades: Sendable, Codable {
    public var dropped: Double
    public var half: Double
    public var full: Double
  }

  /// What standard errors take for independent.
  public enum Cluster: String, Sendable, Encodable {
    case document, window
  }

  public var perplexity: Double
  public var nll: Double
  public var nllStderr: Double?
  /// Predicted tokens.
  public var tokens: Int
  public var positions: MeasuredPositions
  public var cluster: Cluster
  public var clusters: Int
  public var weights: WeightType
  public var activatedParameters: Double
  public var activatedShare: Double
  /// Of weights, by what was dropped of this text.
  public var bytesPerToken: Double
  /// The same, of what a dense token reads of the same weights.
  public var bytesShare: Double
  /// What became of each place's channels or inputs; absent of weights that are not graded.
  public var shares: GradedPlaces<Grades>?
  // Beside the dense model; absent of the dense model itself.
  public var kl: Double?
  public var klStderr: Double?
  public var top1Agreement: Double?
  public var top1Stderr: Double?
  /// This nll less the dense model's, and its paired standard error.
  public var nllIncrease: Double?
  public var nllIncreaseStderr: Double?
  public var dense: Dense?
  /// Shares dropped of this text.
  public var realised: Thresholds.Shares?

  public init(_ source: MeasuredSource, dense: Perplexity, _ measured: Perplexity?, positions: MeasuredPositions) {
    let figures = measured ?? dense
    let activated = ActivatedParameters(source.configuration, shares: figures.shares)
    let bytes = source.bytes(figures.shares)
    perplexity = figures.perplexity
    nll = figures.nll
    nllStderr = figures.nllEstimate.standardError
    tokens = figures.tokens
    self.positions = positions
    cluster = figures.isClusteredByDocument ? .document : .window
    clusters = figures.clusters.count
    weights = source.type
    activatedParameters = activated.sparse
    activatedShare = activated.share
    bytesPerToken = bytes.sparse
    bytesShare = bytes.sparse / bytes.dense
    guard let measured else { return }
    kl = measured.kl
    klStderr = measured.klEstimate?.standardError
    top1Agreement = measured.top1Agreement
    top1Stderr = measured.top1Estimate?.standardError
    let increase = measured.difference(from: dense, \.nll)
    nllIncrease = increase.mean
    nllIncreaseStderr = increase.standardError
    self.dense = Dense(
      perplexity: dense.perplexity, nll: dense.nll, nllStderr: dense.nllEstimate.standardError,
      bytesPerToken: bytes.dense, weights: source.denseWeights)
    realised = measured.shares.isEmpty ? nil : Thresholds.Shares(meanOf: measured.shares)
    shares = realised?.grades?.map { Grades(dropped: $0.dropped, half: $0.half, full: $0.full) }
  }
}
