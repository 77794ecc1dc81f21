import SparseBundle
import ThresholdSolver

/// What a run leaves behind as `report.json`: `schemas/report.schema.json` describes it.
public struct RunReport: Sendable, Codable, Equatable {
  public struct Text: Sendable, Codable, Equatable {
    public var files: [String]
    public var sequenceLength: Int
    public var windows: Int
  }

  public struct Dense: Sendable, Codable, Equatable {
    public var perplexity: Double
    public var nll: Double
    public var tokens: Int
  }

  public struct Method: Sendable, Codable, Equatable {
    public var method: SolverRequest.Method
    public var norm: CHESS.Norm?
    public var source: MaskSource?
    public var secondCut: Double?
    public var inputCut: Double?
    public var sparsity: Double
    public var attention: Bool
    public var allocation: Allocation?
    /// Whether the output head is read on demand; absent where it is read whole.
    public var head: Bool?
    public var realised: Thresholds.Shares
    public var activatedParameters: Double
    public var activatedShare: Double
    public var perplexity: Double
    public var nll: Double
    public var kl: Double
  }

  public struct BundleSummary: Sendable, Codable, Equatable {
    public var bytes: Int
    public var weights: WeightType
    public var method: SolverRequest.Method
    public var norm: CHESS.Norm?
    public var source: MaskSource?
    public var secondCut: Double?
    public var inputCut: Double?
    public var sparsity: Double
    public var attention: Bool
    public var allocation: Allocation?
    /// Likewise.
    public var head: Bool?
  }

  public struct Verification: Sendable, Codable, Equatable {
    public var ok: Bool
    public var checks: [BundleCheck]

    public init(_ checks: [BundleCheck]) {
      ok = checks.allSatisfy(\.ok)
      self.checks = checks
    }
  }

  public struct Generation: Sendable, Codable, Equatable {
    public var tokens: Int
    public var tokensPerSecond: Double
  }

  public struct Tool: Sendable, Codable, Equatable {
    public var name = "gambit"
    public var version = Gambit.version

    public init() {}
  }

  public var model: String
  public var modelSha256: String
  public var text: Text
  public var dense: Dense
  public var methods: [Method]
  public var bundle: BundleSummary?
  public var verification: Verification?
  public var generation: Generation?
  public var tool = Tool()
}
