/// What to solve for: a method, and how much of the model it may skip.
public struct SolverRequest: Sendable, Hashable, Codable {
  /// The words of the command line, of pipelines and of manifests.
  public enum Method: String, Sendable, Codable, CaseIterable {
    case cats
    case chess
  }

  public var method: Method
  /// Only CHESS has one.
  public var norm: CHESS.Norm?
  /// Also skip inputs of the query and output projections.
  public var attention: Bool
  /// The share to drop at each place of cutting, from 0 to 1.
  public var sparsity: Double

  /// - Parameter norm: `rms` for CHESS unless given.
  /// - Throws: ``SolverError`` where the sparsity is no share, or the method has no norm.
  public init(method: Method, norm: CHESS.Norm? = nil, attention: Bool, sparsity: Double) throws(SolverError) {
    guard sparsity >= 0, sparsity <= 1 else { throw .notAShare(sparsity) }
    guard method == .chess || norm == nil else { throw .noNorm(method) }
    self.method = method
    self.norm = method == .chess ? norm ?? .rms : nil
    self.attention = attention
    self.sparsity = sparsity
  }

  var solver: any ThresholdMethod {
    switch method {
    case .cats: CATS()
    case .chess: CHESS(norm: norm ?? .rms)
    }
  }
}

/// Why thresholds could not be solved or read.
public enum SolverError: Error, Equatable, Sendable {
  case notAShare(Double)
  case noNorm(SolverRequest.Method)
  case malformed(String)
}

extension SolverError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notAShare(let sparsity):
      "sparsity \(sparsity) is not a share: give a number from 0 (keep all) to 1 (drop all)"
    case .noNorm(let method):
      "method '\(method.rawValue)' has no norm: leave it out, or choose 'chess'"
    case .malformed(let reason):
      "these are not Gambit thresholds: \(reason)"
    }
  }
}
