/// What to solve for: a method, and how much of the model it may skip.
public struct SolverRequest: Sendable, Hashable, Codable {
  /// The words of the command line, of pipelines and of manifests.
  public enum Method: String, Sendable, Codable, CaseIterable {
    case cats
    case chess
    case energy
    case magnitude
    case wina
    case planes
    /// None of ours: thresholds were computed elsewhere, on gates and, with attention, its inputs.
    case imported
  }

  public var method: Method
  /// Only CHESS has one.
  public var norm: CHESS.Norm?
  /// Which factor decides: the gate where it is `nil`.
  public var source: MaskSource?
  /// The share of other rows dropped at which each channel chooses its source; `nil` where that is the request's own.
  /// Requests that agree in it take the same sources at every sparsity.
  public var sourceShare: Double?
  /// How far the shares of the two cuts of the FFN lie from the sparsity; `nil` where there is one cut.
  public var secondCut: Double?
  /// The share of the FFN's inputs that deciding rows leave out; `nil` where they read them all.
  public var inputCut: Double?
  /// Also skip inputs of the query and output projections; of methods that cut inputs those of key and value, too.
  public var attention: Bool
  /// How the bytes that are not read are divided between places; `nil` where each drops the same share.
  public var allocation: Allocation?
  /// Read all bits of those rows of the output head alone that may be among the likely ones; of methods that grade
  /// weights.
  public var head: Bool
  /// The share to drop at each place of cutting, from 0 to 1; of a method that grades weights, the share of each place's
  /// bytes that is not read.
  public var sparsity: Double

  /// - Parameters:
  ///   - norm: `rms` for CHESS unless given.
  ///   - source: The first of the method's unless given.
  ///   - sourceShare: From 0 to 1, only where each channel has its own source.
  ///   - secondCut: From 0, which cuts once, to 0.5; the method's default unless given.
  ///   - inputCut: From 0, which reads all inputs, to 1; the method's default unless given.
  ///   - allocation: `uniform` unless given, and without attention in place of `global`: then there is nothing to divide.
  /// - Throws: ``SolverError`` where the sparsity or a cut is no share, or the method has no such option.
  public init(
    method: Method, norm: CHESS.Norm? = nil, source: MaskSource? = nil, sourceShare: Double? = nil,
    secondCut: Double? = nil, inputCut: Double? = nil, attention: Bool, allocation: Allocation? = nil,
    head: Bool = false,
    sparsity: Double
  ) throws(SolverError) {
    for share in [sparsity, sourceShare ?? 0] {
      guard share >= 0, share <= 1 else { throw .notAShare(share) }
    }
    guard method == .chess || norm == nil else { throw .noNorm(method) }
    guard source.map(method.sources.contains) ?? true else { throw .noSource(method) }
    guard sourceShare == nil || (source ?? method.defaultSource) == .perChannel else { throw .noSourceShare }
    let cut = secondCut ?? method.defaultSecondCut
    guard cut >= 0, cut <= 0.5 else { throw .notASecondCut(cut) }
    let input = inputCut ?? method.defaultInputCut(sparsity: sparsity)
    guard input >= 0, input <= 1 else { throw .notAnInputCut(input) }
    guard method.mayCut || (cut == 0 && input == 0) else { throw .noCuts(method) }
    guard !method.gradesWeights || sparsity <= Self.mostSaved else { throw .tooFewBytes(1 - sparsity) }
    if let allocation, !method.allocations.contains(allocation) { throw .noAllocation(method, allocation) }
    guard !head || method.gradesWeights else { throw .noHead(method) }
    self.method = method
    self.norm = method == .chess ? norm ?? .rms : nil
    // The gate decides in every method's original form, so that only another source is worth a word.
    let chosen = source ?? method.defaultSource
    self.source = chosen == .gate ? nil : chosen
    self.sourceShare = sourceShare
    self.secondCut = cut == 0 ? nil : cut
    self.inputCut = input == 0 ? nil : input
    self.attention = attention
    self.allocation = allocation == .greedy || (allocation == .global && attention) ? allocation : nil
    self.head = head
    self.sparsity = sparsity
  }

  /// What is read of each place that is graded, as a share of its bytes.
  public var bytesShare: Double { Self.sparsity(bytesShare: sparsity) }

  /// What is left out where `share` is read, without what binary fractions add: 0.7 of 0.3.
  public static func sparsity(bytesShare share: Double) -> Double { (1e9 * (1 - share)).rounded() / 1e9 }

  /// A method that grades weights always reads the high planes of gate and up projections, a third of the FFN.
  static let mostSaved = 0.66

  /// What finds the first cut, whatever its share.
  struct Solver: Hashable {
    private var name: Method
    private var norm: CHESS.Norm?
    private var source: MaskSource?
    private var sourceShare: Double?

    fileprivate init(_ request: SolverRequest) {
      (name, norm, source, sourceShare) = (request.method, request.norm, request.source, request.sourceShare)
    }

    /// `nil` where inputs are cut in place of channels; see ``InputCuts``.
    var method: (any ThresholdMethod)? {
      switch name {
      case .cats: CATS()
      case .chess: CHESS(norm: norm ?? .rms, upDecides: source == .up)
      case .energy: Energy(source: source ?? .gate, sourceShare: sourceShare)
      case .magnitude, .wina, .planes, .imported: nil
      }
    }
  }

  var solver: Solver { Solver(self) }

  /// The shares to drop of deciding rows' inputs, of other rows and of down columns, where `share` is their mean: they
  /// add up to twice of it, so that neither a second nor an input cut reads more or fewer bytes. Where one would leave
  /// 0…1 it is as far as it can be. An input cut is in proportion to the share.
  func shares(ffn share: Double) -> (input: Double, other: Double, down: Double) {
    let asked = share == sparsity ? inputCut ?? 0 : (inputCut ?? 0) * share / sparsity
    let input = min(asked, 2 * share, 2 * (1 - share))
    let mean = share - input / 2
    let cut = min(secondCut ?? 0, mean, 1 - mean)
    return (input, mean - cut, mean + cut)
  }
}

extension SolverRequest {
  /// The share of other rows that it drops, to a tenth of a percent: what a ``sourceShare`` may be.
  public var rowShare: Double { (1000 * shares(ffn: sparsity).other).rounded() / 1000 }

  /// What a file of its thresholds is called beside those of other requests: `thresholds-METHOD-SPARSITY.safetensors`,
  /// with METHOD as ``fileLabel``.
  public var fileName: String { "thresholds-\(fileLabel)-\(sparsity).safetensors" }

  /// What tells apart the files of requests for the same sparsity. What a method does unless asked otherwise has no
  /// word.
  public var fileLabel: String {
    var words = [method.rawValue]
    if norm == .mean { words.append("mean") }
    if (source ?? .gate) != method.defaultSource { words.append((source ?? .gate).rawValue) }
    if let sourceShare { words.append("sources\(sourceShare)") }
    let cut = secondCut ?? 0
    if cut != method.defaultSecondCut { words.append("cut\(cut)") }
    let input = inputCut ?? 0
    if input != method.defaultInputCut(sparsity: sparsity) { words.append("input\(input)") }
    if attention { words.append("attention") }
    if let allocation { words.append(allocation.rawValue) }
    if head { words.append("head") }
    return words.joined(separator: "-")
  }
}

extension SolverRequest.Method {
  /// Which factors may decide, the one that does unless another is asked for first; none where inputs are cut in place
  /// of channels, or both factors are known in part.
  public var sources: [MaskSource] {
    switch self {
    case .cats, .imported: [.gate]
    case .chess: [.gate, .up]
    case .energy: [.perChannel, .gate, .up]
    case .magnitude, .wina, .planes: []
    }
  }

  /// How a budget may be divided, the way it is unless another is asked for first.
  public var allocations: [Allocation] {
    if self == .imported { return [.uniform] }
    return cutsInputs ? [.uniform, .greedy] : [.uniform, .global]
  }

  /// Every projection's input is cut by itself, and no channel of the FFN by a factor.
  public var cutsInputs: Bool { self == .magnitude || self == .wina }

  /// Channels and inputs are read with all bits of their weights, with half of them, or not at all, for weights in planes.
  public var gradesWeights: Bool { self == .planes }

  /// Scores weigh inputs by the norms of their weight columns.
  public var weighsColumns: Bool { self == .wina }

  /// Whether the FFN may have a second and an input cut.
  var mayCut: Bool { !sources.isEmpty && self != .imported }

  /// Whether thresholds depend on the model's weights besides the statistics.
  public var needsWeights: Bool { weighsColumns || gradesWeights }

  /// Whether a bundle can hold its thresholds.
  public var isExportable: Bool { !cutsInputs }

  /// - Throws: ``SolverError/notExportable(_:)``.
  public func checkExportable() throws(SolverError) {
    guard isExportable else { throw .notExportable(self) }
  }

  /// Those that find thresholds by statistics.
  public static var solvable: [Self] { allCases.filter { $0 != .imported } }

  /// - Throws: ``SolverError/notSolvable(_:)``.
  public func checkSolvable() throws(SolverError) {
    guard Self.solvable.contains(self) else { throw .notSolvable(self) }
  }

  fileprivate var defaultSource: MaskSource { sources.first ?? .gate }

  /// The second cut unless another is asked for; 0 is none. Documentation/ablation.md says how far energy's is measured.
  public var defaultSecondCut: Double { self == .energy ? 0.075 : 0 }

  /// The input cut unless another is asked for, as a share of the sparsity; 0 is none.
  public var inputCutOfSparsity: Double { self == .energy ? 0.4 : 0 }

  /// The same as a share of the inputs, in whole percent.
  func defaultInputCut(sparsity: Double) -> Double { (100 * inputCutOfSparsity * sparsity).rounded() / 100 }

  public var norms: [CHESS.Norm] { self == .chess ? [.rms, .mean] : [] }
}

/// Why thresholds could not be solved or read.
public enum SolverError: Error, Equatable, Sendable {
  case notAShare(Double)
  case noNorm(SolverRequest.Method)
  case noSource(SolverRequest.Method)
  case noSourceShare
  case notASecondCut(Double)
  case notAnInputCut(Double)
  case tooFewBytes(Double)
  case noScores
  case noCuts(SolverRequest.Method)
  case noAllocation(SolverRequest.Method, Allocation)
  case noHead(SolverRequest.Method)
  case notExportable(SolverRequest.Method)
  case notSolvable(SolverRequest.Method)
  case malformed(String)
}

extension SolverError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notAShare(let sparsity):
      "sparsity \(sparsity) is not a share: give a number from 0 (keep all) to 1 (drop all)"
    case .noNorm(let method):
      "method '\(method.rawValue)' has no norm: leave it out, or choose 'chess'"
    case .noSource(let method) where method.sources.isEmpty:
      "method '\(method.rawValue)' has no source, since no factor decides: leave it out"
    case .noSource(let method):
      "method '\(method.rawValue)' has no such source: choose one of "
        + method.sources.map { "'\($0.rawValue)'" }.joined(separator: ", ")
    case .noSourceShare:
      "sources are chosen only where each channel has its own: leave the choice out, or take the method 'energy' with the source 'per-channel'"
    case .notASecondCut(let cut):
      "second cut \(cut) is none: give a number from 0 (cut once) to 0.5"
    case .notAnInputCut(let cut):
      "input cut \(cut) is no share: give a number from 0 (read all inputs) to 1"
    case .tooFewBytes(let share):
      "a bytes share of \(share) cannot be reached: high planes of gate and up alone are a third of the FFN; give 0.34 or more"
    case .noScores:
      "these statistics have no scores, which 'planes' is solved from: collect them with --scores int8-planes or f16-planes"
    case .noCuts(let method):
      "method '\(method.rawValue)' has neither a second cut nor an input cut: leave them out, or give 0"
    case .noAllocation(let method, let allocation):
      "method '\(method.rawValue)' has no allocation '\(allocation.rawValue)': choose one of "
        + method.allocations.map { "'\($0.rawValue)'" }.joined(separator: ", ")
    case .noHead(let method):
      "method '\(method.rawValue)' reads all bits of every weight that it reads: leave out the head, or choose 'planes'"
    case .notExportable(let method):
      "bundles cannot hold the thresholds of method '\(method.rawValue)': choose one of "
        + SolverRequest.Method.allCases.filter(\.isExportable).map { "'\($0.rawValue)'" }.joined(separator: ", ")
    case .notSolvable(let method):
      "method '\(method.rawValue)' is no way to solve thresholds: choose one of "
        + SolverRequest.Method.solvable.map { "'\($0.rawValue)'" }.joined(separator: ", ")
    case .malformed(let reason):
      "these are not Gambit thresholds: \(reason)"
    }
  }
}
