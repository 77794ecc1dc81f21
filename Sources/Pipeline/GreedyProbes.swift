import ActivationStatistics
import Checkpoints
import Evaluation
import Reports
import ThresholdSolver

/// TEAL's search for the share of each projection's input, layer by layer, on a little text.
struct GreedyProbes {
  /// The beginnings of as many sequences as threads can share.
  private static let sequences = 2
  private static let length = 256

  let model: Checkpoint
  /// Token sequences to take some of; a text that is part of the program where it is `nil`.
  let sample: String?
  let threads: Int

  /// What each request leaves out of each projection's input, a layer each, and which text says so.
  ///
  /// - Parameter requests: Those of the same method and places share their steps.
  /// - Throws: ``PipelineError`` where the sample is not of this model.
  /// - Complexity: passes over 512 tokens, one for each projection in each step: for SmolLM2-135M with attention 530 up to
  ///   a sparsity of 70%.
  func shares(
    for requests: [SolverRequest], _ statistics: StatisticsFile, _ console: Console
  ) throws -> (shares: [[InputShares]], text: ProbedText) {
    let text = try ProbeText(model: model, sample: sample).beginnings(Self.sequences, length: Self.length)
    let families = Dictionary(grouping: requests.indices) {
      Family(method: requests[$0].method, attention: requests[$0].attention)
    }
    var found = requests.map { _ in [InputShares]() }
    let layers = Double(model.configuration.layerCount * families.count)
    try console.task("greedy search", total: layers, unit: "layers") { task in
      try LayerErrorWalk(model.weights, threads: threads).run(text.windows) { trial in
        let record = try statistics.layer(trial.index).all
        for (family, members) in families {
          let norms = family.method.weighsColumns ? ColumnNorms(trial.weights) : nil
          let cuts = KnownCuts(InputCuts(record, norms: norms), model.configuration)
          let shares = try GreedyDivision(model.configuration, attention: family.attention)
            .shares(at: members.map { requests[$0].sparsity }) { try trial.error(cuts.thresholds($0)) }
          for (i, shares) in zip(members, shares) { found[i].append(shares) }
          task.advance(by: 1)
        }
      }
    }
    return (found, text.probed)
  }

  private struct Family: Hashable {
    var method: SolverRequest.Method
    var attention: Bool
  }
}

/// Solves each share of a place once: a step changes one of seven.
private final class KnownCuts {
  private struct Key: Hashable {
    var place: Thresholds.Place
    var share: Double
  }

  private let cuts: InputCuts
  private let intermediateSize: Int
  private var known: [Key: [Float]] = [:]

  init(_ cuts: InputCuts, _ c: ModelConfiguration) {
    self.cuts = cuts
    intermediateSize = c.intermediateSize
  }

  func thresholds(_ shares: InputShares) -> Thresholds.Layer {
    var inputs: [Thresholds.Place: [Float]] = [:]
    for (place, share) in shares {
      let key = Key(place: place, share: share)
      let thresholds = known[key] ?? cuts.thresholds(place, share: share)
      known[key] = thresholds
      inputs[place] = thresholds
    }
    return Thresholds.Layer(inputs: inputs, intermediateSize: intermediateSize)
  }
}
