import ActivationStatistics
import Checkpoints
import Transformer

/// Thresholds of every layer, and what they were solved for.
public struct Thresholds: Sendable, Equatable {
  /// Thresholds of one layer. An input is kept where its magnitude is at least its threshold.
  public struct Layer: Sendable, Equatable {
    /// On `|g|`, or on `|u|` where the up projection decides, or on `|ĝ·û|` where weights are graded; one a channel of
    /// the FFN: `[intermediateSize]`.
    public var ffn: [Float]
    /// On the query projection's input: one for all, `[1]`, or one a channel, `[hiddenSize]`.
    public var query: [Float]?
    /// On the key and the value projection's input: `[1]` or `[hiddenSize]`; `nil` where they read all of it.
    public var key: [Float]?
    public var value: [Float]?
    /// On the output projection's input: `[1]` or `[queryWidth]`.
    public var output: [Float]?
    /// For each channel whether `u` decides instead of `g`: `[intermediateSize]`; `nil` where `g` always does.
    public var upDecides: [Bool]?
    /// The second cut, on `|g·u|` of the channels kept so far: what is below is not added to the FFN's
    /// output. `[1]` or `[intermediateSize]`.
    public var product: [Float]?
    /// On the FFN's input, for the rows that decide: each of them leaves out the inputs that are below. `[1]` or
    /// `[hiddenSize]`.
    public var input: [Float]?
    /// The same for the other rows; `nil` where they read every input.
    public var otherInput: [Float]?
    /// Added to the FFN's output where channels may be dropped: `[hiddenSize]`.
    public var bias: [Float]?
    /// Weights in planes: from these on all bits of a channel or input are read, below them and from the thresholds above
    /// on its high plane alone; `nil` where what is kept is always read whole. One a channel.
    public var full: GradedPlaces<[Float]>?
    /// Weights in planes: what is added to the sums of gate and up where their high planes are read alone; `nil` where
    /// nothing is.
    public var offsets: PlaneOffsets?

    public init(
      ffn: [Float], query: [Float]? = nil, key: [Float]? = nil, value: [Float]? = nil, output: [Float]? = nil,
      upDecides: [Bool]? = nil, product: [Float]? = nil, input: [Float]? = nil, otherInput: [Float]? = nil,
      bias: [Float]? = nil, full: GradedPlaces<[Float]>? = nil, offsets: PlaneOffsets? = nil
    ) {
      self.ffn = ffn
      self.query = query
      self.key = key
      self.value = value
      self.output = output
      self.upDecides = upDecides
      self.product = product
      self.input = input
      self.otherInput = otherInput
      self.bias = bias
      self.full = full
      self.offsets = offsets
    }
  }

  /// Shares dropped, averaged over layers; `nil` where nothing is cut.
  public struct Shares: Sendable, Equatable, Codable {
    /// Channels that the deciding factor drops: the other factor's rows.
    public var ffn: Double
    /// Down columns that either cut drops; `nil` where products are not cut, and as many as rows are.
    public var down: Double?
    /// Inputs of the FFN that deciding rows leave out.
    public var input: Double?
    /// Inputs of the FFN that other rows leave out.
    public var otherInput: Double?
    public var query: Double?
    public var key: Double?
    public var value: Double?
    public var output: Double?
    /// Of graded weights, the shares that are read with all bits; the rest of what is not dropped is read in part.
    public var full: GradedPlaces<Double>?
    /// Of the output head's rows, the share that is read with all bits; `nil` where all of them are. It is the model's,
    /// and the same in every layer.
    public var fullHead: Double?

    public init(
      ffn: Double, down: Double? = nil, input: Double? = nil, otherInput: Double? = nil, query: Double? = nil,
      key: Double? = nil, value: Double? = nil, output: Double? = nil, full: GradedPlaces<Double>? = nil,
      fullHead: Double? = nil
    ) {
      self.ffn = ffn
      self.down = down
      self.input = input
      self.otherInput = otherInput
      self.query = query
      self.key = key
      self.value = value
      self.output = output
      self.full = full
      self.fullHead = fullHead
    }
  }

  public var request: SolverRequest
  /// How the weights lie that these thresholds grade; `nil` of methods that grade none.
  public var planes: PlaneFormat?
  public var layers: [Layer]
  /// Weights in planes: all bits are read of those rows of the output head whose logit by the high plane alone is at
  /// least the greatest such logit less this, in nats, and of the others the high plane; `nil` where all rows are read
  /// whole.
  public var headMargin: Float?
  /// What is added to the logits of rows whose high planes are read alone, `[vocabularySize]`; `nil` where nothing is.
  public var headOffsets: [Float]?
  /// The shares dropped of the calibration text.
  public var realised: Shares
  /// SHA-256 of the model, of the text, and of the statistics that were solved.
  public var modelHash: String
  public var corpusHash: String
  public var statisticsHash: String
  /// What an allocation was measured on; `nil` where nothing was, and of files from before it was noted.
  public var allocationMeasuredOn: ProbedText?
  /// The same of the output head's margin.
  public var headMeasuredOn: ProbedText?

  public init(
    request: SolverRequest, planes: PlaneFormat? = nil, layers: [Layer], headMargin: Float? = nil,
    headOffsets: [Float]? = nil, realised: Shares,
    modelHash: String, corpusHash: String, statisticsHash: String, allocationMeasuredOn: ProbedText? = nil,
    headMeasuredOn: ProbedText? = nil
  ) {
    self.request = request
    self.planes = planes
    self.layers = layers
    self.headMargin = headMargin
    self.headOffsets = headOffsets
    self.realised = realised
    self.modelHash = modelHash
    self.corpusHash = corpusHash
    self.statisticsHash = statisticsHash
    self.allocationMeasuredOn = allocationMeasuredOn
    self.headMeasuredOn = headMeasuredOn
  }
}

extension Thresholds.Layer {
  /// Solves one layer of a model with the given gate activation. Complexity: O(channels · bins).
  ///
  /// - Parameter norms: Of the layer's weights; only methods that weigh columns need them. Methods that grade weights
  ///   need more: ``solve(_:_:places:gateActivation:norms:planes:)``.
  public init(
    _ record: LayerRecord, _ request: SolverRequest, gateActivation: GateActivation, norms: ColumnNorms? = nil
  ) {
    self = Self.solve(record, [request], gateActivation: gateActivation, norms: norms)[0]
  }

  /// The same for several requests. What requests that differ in sparsity have in common is done once.
  ///
  /// - Parameters:
  ///   - places: What each request drops where; the sparsity everywhere unless given.
  ///   - inputs: The same of methods that cut inputs; the sparsity everywhere where it is `nil`.
  ///   - norms: Of the layer's weights; only methods that weigh columns need them.
  ///   - planes: Only methods that grade weights need them, and statistics with scores.
  public static func solve(
    _ record: LayerRecord, _ requests: [SolverRequest], places: [BudgetShares]? = nil, inputs: [InputShares?]? = nil,
    gateActivation: GateActivation, norms: ColumnNorms? = nil, planes: PlaneErrors? = nil
  ) -> [Self] {
    let statistics = record.all
    var solvers: [SolverRequest.Solver: LayerSolver] = [:]
    var inputCuts: [SolverRequest.Method: InputCuts] = [:]
    var graded: GradedLayer?
    return requests.enumerated().map { index, request in
      let places = places?[index] ?? BudgetShares(all: request.sparsity)
      if request.method.gradesWeights {
        guard let planes, let layer = graded ?? GradedLayer(statistics, planes) else {
          preconditionFailure("statistics without scores, or no planes")
        }
        graded = layer
        var thresholds = layer.thresholds(saving: places, attention: request.attention)
        thresholds.offsets = record.offsets
        return thresholds
      }
      guard let method = request.solver.method else {
        precondition(norms != nil || !request.method.weighsColumns)
        let cuts =
          inputCuts[request.method] ?? InputCuts(statistics, norms: request.method.weighsColumns ? norms : nil)
        inputCuts[request.method] = cuts
        return cuts.thresholds(
          inputs?[index] ?? InputShares(all: request.sparsity, attention: request.attention))
      }
      let solver = solvers[request.solver] ?? method.prepare(statistics, gateActivation: gateActivation)
      solvers[request.solver] = solver
      return Self(statistics, request, places, solver)
    }
  }

  private init(
    _ statistics: LayerStatistics, _ request: SolverRequest, _ places: BudgetShares, _ solve: LayerSolver
  ) {
    let shares = request.shares(ffn: places.ffn)
    let solved = solve(shares.other)
    ffn = solved.thresholds
    upDecides = solved.upDecides
    product = request.secondCut.map { _ in [SecondCut(statistics, after: solved).threshold(share: shares.down)] }
    input = request.inputCut.map { _ in [Self.inputThreshold(statistics.ffnInputCount, shares.input)] }
    guard request.attention else { return }
    query = [Self.inputThreshold(statistics.attentionInputCount, places.query)]
    output = [Self.inputThreshold(statistics.outputInputCount, places.output)]
  }

  /// Selective sparsification (CHESS, section 3.3): the quantile of `|x|` over all channels.
  private static func inputThreshold(_ counts: [Int64], _ sparsity: Double) -> Float {
    let scales = [Double](repeating: 1, count: counts.count / LogarithmicBins.count)
    return PooledScores(counts: counts, scales: scales, gateActivation: nil).thresholds(sparsity: sparsity)[0]
  }

  /// The shares that these thresholds drop of the text that the statistics describe.
  public func sharesDropped(_ record: LayerRecord, gateActivation: GateActivation) -> Thresholds.Shares {
    let statistics = record.all
    if let full { return gradedShares(statistics, full) }
    return Thresholds.Shares(
      ffn: ffnShare(statistics, gateActivation),
      down: product.map {
        Self.share(statistics.productCount, $0)
          + SecondCut(statistics, after: FactorThresholds(ffn, upDecides: upDecides)).shareOnlyFirstDrops($0)
      },
      input: input.map { Self.share(statistics.ffnInputCount, $0) },
      otherInput: otherInput.map { Self.share(statistics.ffnInputCount, $0) },
      query: query.map { Self.share(statistics.attentionInputCount, $0) },
      key: key.map { Self.share(statistics.attentionInputCount, $0) },
      value: value.map { Self.share(statistics.attentionInputCount, $0) },
      output: output.map { Self.share(statistics.outputInputCount, $0) })
  }

  /// Channels whose other factor decides have a threshold of 0, which drops nothing.
  private func ffnShare(_ statistics: LayerStatistics, _ gateActivation: GateActivation) -> Double {
    guard let upDecides else { return Self.share(statistics.gate.count, ffn, gateActivation) }
    func thresholds(up: Bool) -> [Float] { zip(ffn, upDecides).map { $1 == up ? $0 : 0 } }
    return Self.share(statistics.gate.count, thresholds(up: false), gateActivation)
      + Self.share(statistics.up.count, thresholds(up: true))
  }

  private static func share(
    _ counts: [Int64], _ thresholds: [Float], _ gateActivation: GateActivation? = nil
  ) -> Double {
    let channels = counts.count / LogarithmicBins.count
    let each = thresholds.count == 1 ? [Float](repeating: thresholds[0], count: channels) : thresholds
    let scales = [Double](repeating: 1, count: channels)
    return PooledScores(counts: counts, scales: scales, gateActivation: gateActivation).shareDropped(each)
  }
}

extension Thresholds.Shares {
  /// The mean over layers; a place counts where the first layer cuts it.
  public init(meanOf layers: [Self]) {
    func mean(_ values: [Double]) -> Double? {
      values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
    self.init(
      ffn: mean(layers.map(\.ffn)) ?? 0, down: mean(layers.compactMap(\.down)),
      input: mean(layers.compactMap(\.input)), otherInput: mean(layers.compactMap(\.otherInput)),
      query: mean(layers.compactMap(\.query)), key: mean(layers.compactMap(\.key)),
      value: mean(layers.compactMap(\.value)),
      output: mean(layers.compactMap(\.output)), fullHead: mean(layers.compactMap(\.fullHead)))
    let grades = layers.compactMap(\.full)
    full = grades.first.map { _ in
      GradedPlaces(
        ffn: mean(grades.map(\.ffn)) ?? 0, query: mean(grades.compactMap(\.query)),
        key: mean(grades.compactMap(\.key)), value: mean(grades.compactMap(\.value)),
        output: mean(grades.compactMap(\.output)))
    }
  }
}
