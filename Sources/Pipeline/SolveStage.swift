import ActivationStatistics
import Checkpoints
import Files
import Reports
import ThresholdSolver

/// statistics → thresholds
public struct SolveStage: Sendable {
  public var requests: [SolverRequest]

  public init(_ requests: [SolverRequest]) { self.requests = requests }

  /// Solves all requests in one walk through the statistics.
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
    let weighsColumns = requests.contains { $0.method.weighsColumns }
    var layers = requests.map { _ in [Thresholds.Layer]() }
    var shares = requests.map { _ in [Thresholds.Shares]() }
    try console.task("solve", total: Double(description.layerCount * requests.count), unit: "layers") { task in
      for index in 0..<description.layerCount {
        let record = try statistics.layer(index)
        let norms = weighsColumns ? ColumnNorms(try model.weights.layer(index)) : nil
        let solved = Thresholds.Layer.solve(
          record, requests, gateActivation: description.gateActivation, norms: norms)
        for (i, layer) in solved.enumerated() {
          layers[i].append(layer)
          shares[i].append(layer.sharesDropped(record, gateActivation: description.gateActivation))
          task.advance(by: 1)
        }
      }
    }
    return requests.indices.map { i in
      Thresholds(
        request: requests[i], layers: layers[i], realised: Thresholds.Shares(meanOf: shares[i]),
        modelHash: description.modelHash, corpusHash: description.corpusHash, statisticsHash: hash)
    }
  }
}
