import ActivationStatistics
import Checkpoints
import Files
import Reports
import SparseBundle
import ThresholdSolver

/// statistics → thresholds
public struct SolveStage: Sendable {
  public var requests: [SolverRequest]
  /// Token sequences on which allocations other than `uniform` and the output head's margin are measured; a text that is
  /// part of the program where it is `nil`.
  public var sample: String?
  public var threads: Int

  public init(_ requests: [SolverRequest], sample: String? = nil, threads: Int = 1) {
    self.requests = requests
    self.sample = sample
    self.threads = threads
  }

  /// Solves all requests in one walk through the statistics, and in another one before where a budget is to be divided.
  ///
  /// - Throws: ``PipelineError/otherModel(file:model:)`` where the statistics are not of this model.
  public func run(_ model: Checkpoint, _ statistics: StatisticsFile, _ console: Console) throws -> [Thresholds] {
    let description = statistics.description
    guard description.modelHash == (try model.hash) else {
      throw PipelineError.otherModel(file: statistics.path, model: model.path)
    }
    if !description.isComplete {
      console.note(
        "solve: '\(statistics.path)' holds \(description.sequences) of \(description.sequenceCount) sequences")
    }
    let hash = try sha256(ofFile: statistics.path)
    let search = try search(model, statistics, console)
    let solve = { requests, places in try self.solve(requests, places, nil, model, statistics, hash, console) }
    let division = try divide(model, description.scores, console, solve)
    var solved = try self.solve(requests, division.places, search.inputs, model, statistics, hash, console)
    for i in requests.indices {
      switch requests[i].allocation {
      case .global: solved[i].allocationMeasuredOn = division.text
      case .greedy: solved[i].allocationMeasuredOn = search.text
      case .uniform, nil: break
      }
    }
    return try withHead(solved, model, description.scores, console)
  }

  /// The margin is a property of the model: all that read the head on demand have the same.
  private func withHead(
    _ thresholds: [Thresholds], _ model: Checkpoint, _ planes: PlaneFormat?, _ console: Console
  ) throws -> [Thresholds] {
    guard requests.contains(where: \.head), let planes else { return thresholds }
    let found = try HeadProbe(model: model, sample: sample, threads: threads, planes: planes).run(console)
    return thresholds.map { thresholds in
      guard thresholds.request.head else { return thresholds }
      var thresholds = thresholds
      thresholds.request.head = found != nil
      thresholds.headMargin = found?.point.margin
      thresholds.headOffsets = found?.offsets
      thresholds.realised.fullHead = found?.point.share
      thresholds.headMeasuredOn = found?.text
      return thresholds
    }
  }

  /// What each request is to drop where; the text is `nil` where no budget is divided by measuring.
  private func divide(
    _ model: Checkpoint, _ planes: PlaneFormat?, _ console: Console,
    _ solve: ([SolverRequest], [BudgetShares]) throws -> [Thresholds]
  ) throws -> (places: [BudgetShares], text: ProbedText?) {
    var places = requests.map { BudgetShares(all: $0.sparsity) }
    let divided = requests.indices.filter { requests[$0].allocation == .global && requests[$0].sparsity > 0 }
    guard !divided.isEmpty else { return (places, nil) }
    let found = try AllocationProbes(model: model, sample: sample, threads: threads, planes: planes)
      .places(for: divided.map { requests[$0] }, console, solve: solve)
    for (i, shares) in zip(divided, found.places) {
      let each = [
        ("FFN", shares.ffn), ("query", shares.query), ("key", shares.key), ("value", shares.value),
        ("output", shares.output),
      ].compactMap { name, share in share.map { "\(name) \(Format.percent($0))" } }
      console.note(
        "solve: \(requests[i].fileLabel) at \(Format.percent(requests[i].sparsity)): \(each.joined(separator: ", "))")
      places[i] = shares
    }
    return (places, found.text)
  }

  /// What each request leaves out of which input, a layer each; `nil` where a search does not say.
  private func search(
    _ model: Checkpoint, _ statistics: StatisticsFile, _ console: Console
  ) throws -> (inputs: [[InputShares]?], text: ProbedText?) {
    let searched = requests.indices.filter { requests[$0].allocation == .greedy }
    var inputs = [[InputShares]?](repeating: nil, count: requests.count)
    guard !searched.isEmpty else { return (inputs, nil) }
    let found = try GreedyProbes(model: model, sample: sample, threads: threads)
      .shares(for: searched.map { requests[$0] }, statistics, console)
    for (i, layers) in zip(searched, found.shares) {
      let each = Thresholds.Place.inputs(attention: requests[i].attention).map { place in
        let mean = layers.reduce(0) { $0 + ($1[place] ?? 0) } / Double(layers.count)
        return "\(place.projection) \(Format.percent(mean))"
      }
      console.note(
        "solve: \(requests[i].fileLabel) at \(Format.percent(requests[i].sparsity)): \(each.joined(separator: ", "))")
      inputs[i] = layers
    }
    return (inputs, found.text)
  }

  private func solve(
    _ requests: [SolverRequest], _ places: [BudgetShares], _ inputs: [[InputShares]?]?, _ model: Checkpoint,
    _ statistics: StatisticsFile, _ hash: String, _ console: Console
  ) throws -> [Thresholds] {
    let description = statistics.description
    let weighsColumns = requests.contains { $0.method.weighsColumns }
    let planes = try requests.contains { $0.method.gradesWeights } ? planes(model, statistics) : nil
    var layers = requests.map { _ in [Thresholds.Layer]() }
    var shares = requests.map { _ in [Thresholds.Shares]() }
    try console.task("solve", total: Double(description.layerCount * requests.count), unit: "layers") { task in
      for index in 0..<description.layerCount {
        let record = try statistics.layer(index)
        let norms = weighsColumns ? ColumnNorms(try model.weights.layer(index)) : nil
        let errors = try planes.map { try PlaneErrors($0.both.layer(index), high: $0.high.layer(index)) }
        let solved = Thresholds.Layer.solve(
          record, requests, places: places, inputs: inputs?.map { $0?[index] },
          gateActivation: description.gateActivation, norms: norms, planes: errors)
        for (i, layer) in solved.enumerated() {
          layers[i].append(layer)
          shares[i].append(layer.sharesDropped(record, gateActivation: description.gateActivation))
          task.advance(by: 1)
        }
      }
    }
    return requests.indices.map { i in
      Thresholds(
        request: requests[i], planes: requests[i].method.gradesWeights ? description.scores : nil, layers: layers[i],
        realised: Thresholds.Shares(meanOf: shares[i]),
        modelHash: description.modelHash, corpusHash: description.corpusHash, statisticsHash: hash)
    }
  }

  /// The weights that scores were counted of.
  ///
  /// - Throws: `SolverError/noScores` where statistics have none.
  private func planes(_ model: Checkpoint, _ statistics: StatisticsFile) throws -> (
    both: any WeightSource, high: any WeightSource
  ) {
    guard let both = statistics.description.scores.map({ PlaneWeights(model.weights, $0) }), let high = both.highPlanes
    else { throw SolverError.noScores }
    return (both, high)
  }
}

extension Thresholds.Place {
  /// The projection that reads the input, where inputs are cut.
  fileprivate var projection: String {
    switch self {
    case .input: "gate"
    case .otherInput: "up"
    default: rawValue
    }
  }
}
