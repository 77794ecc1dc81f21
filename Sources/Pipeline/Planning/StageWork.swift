import Foundation
import SparseBundle

// What stages do, in units of work. Each line is a line of the stage's own code: whoever changes one changes the other.
extension PipelineShape {
  var sampleWork: WorkAmounts {
    let bytes = sourceBytes.reduce(0, +)
    // Of N tokens in random order, about k·ln(N/k) more than the k that stay are chosen on the way.
    let read = Double(bytes) / 4
    let drawn = Double(tokens) * (1 + log(max(read / Double(max(tokens, 1)), 1)))
    return [
      .starting: 1, .hashing: Double(modelBytes + bytes), .scanning: Double(bytes),
      .tokenizing: min(drawn, max(read, 1)),
    ]
  }

  /// Of the largest shard.
  var collectWork: WorkAmounts {
    let (layers, tokens) = (Double(layers), Double(shardTokens) * unevenness(shardSequences))
    var work: WorkAmounts = [.starting: 1, .loading: layers, .counting: tokens * layers, .storing: layers]
    // A node that has not hashed the model and the texts does.
    if shards > 1 { work = work + [.hashing: Double(modelBytes + sourceBytes.reduce(0, +))] }
    if document.collect?.scores != nil {
      // What high planes leave out is found by a pass of its own; scores are products of gate and up once more.
      work =
        work + [
          .loading: layers, .rounding: 3 * layers,
          .forward: Double(min(OffsetProbe.tokens, self.tokens)) * layers + tokens * layers * gateAndUp,
        ]
    }
    return work
  }

  /// The share of gate and up in a layer's weights.
  private var gateAndUp: Double {
    Double(2 * configuration.hiddenSize * configuration.intermediateSize) / Double(max(layerWeights, 1))
  }

  /// Nothing is done beside what is written.
  var mergeWork: WorkAmounts {
    [.starting: 1, .restoring: Double(layers * shards), .storing: Double(layers * threads)]
  }

  var solveWork: WorkAmounts {
    var work: WorkAmounts = [.starting: 1, .restoring: Double(layers), .solving: Double(layers)]
    if requests.contains(where: \.method.weighsColumns) { work = work + [.loading: Double(layers)] }
    if isGraded { work = work + [.loading: Double(2 * layers), .rounding: Double(2 * layers)] }
    for (probes, share) in divisionProbes where probes > 0 {
      let each = Double(probes) * 1024
      work =
        work + [
          .loading: Double(2 * layers), .forward: 1024 * Double(layers), .masking: each * Double(layers),
          .predicting: each + 1024, .restoring: Double(layers), .solving: Double(layers) * share,
        ]
    }
    let searched = requests.filter { $0.allocation == .greedy }
    if !searched.isEmpty {
      // Steps of 5%, in each of which every place is tried: as many as the budget has, and some where a place is full.
      let families = Set(searched.map { "\($0.method) \($0.attention)" }).count
      let trials = Double(families) * 530 * (searched.map(\.sparsity).max() ?? 0) / 0.7
      work = work + [.loading: Double(layers), .masking: trials * 512 * Double(layers)]
    }
    if requests.contains(where: \.head) {
      work =
        work + [
          .loading: Double(layers), .rounding: Double(layers), .forward: Double(HeadProbe.tokens * layers),
          .predicting: Double(2 * HeadProbe.tokens),
        ]
    }
    return work
  }

  /// Shares of places that are measured where a budget is divided by measuring: how many forward passes, and how many
  /// times the work of solving all requests.
  private var divisionProbes: [(probes: Int, share: Double)] {
    let divided = requests.filter { $0.allocation == .global && $0.sparsity > 0 }
    let (cutting, grading) = (divided.filter { !$0.method.gradesWeights }, divided.filter(\.method.gradesWeights))
    let families = Set(
      cutting.map { "\($0.method) \($0.norm.map { "\($0)" } ?? "") \($0.source.map { "\($0)" } ?? "")" })
    let probes = [cutting.isEmpty ? 0 : 3 * families.count + 6, grading.isEmpty ? 0 : 19]
    return probes.map { ($0, Double($0) / Double(max(requests.count, 1))) }
  }

  var exportWork: WorkAmounts {
    let (layers, text) = (Double(layers), Double(LossText.tokens))
    let heads = Double(headWeights) / Double(max(layerWeights, 1))
    var work: WorkAmounts = [.starting: 1, .packing: Double(parameters), .loading: layers + heads]
    if type != .f32 {
      let streams = type.allowsRoundedActivations ? 3.0 : 2.0
      work =
        work + [
          .loading: 2 * (layers + heads), .rounding: layers + heads, .forward: streams * text * layers,
          .predicting: streams * text,
        ]
    }
    // Quality, beside the model, and golden vectors.
    return work + [
      .loading: 2 * (layers + heads), .rounding: layers + heads, .forward: text * layers, .masking: text * layers,
      .predicting: 2 * text,
    ] + [
      .loading: 2 * (layers + heads), .rounding: layers + heads, .forward: 3 * Double(GoldenRecording.tokens) * layers,
    ]
  }

  /// Golden texts are replayed dense and sparse.
  var verifyWork: WorkAmounts {
    let replayed =
      Double(GoldenRecording.tokens * layers) * Double(layerWeights)
      + Double(GoldenRecording.positions) * Double(headWeights)
    return [
      .starting: 1, .hashing: Double(unpackedBytes), .unpacking: 2 * Double(parameters), .plainProducts: 2 * replayed,
    ]
  }

  /// With the verification and the text that a run ends with.
  var evaluateWork: WorkAmounts {
    let windows = evaluationTokens / max(document.evaluate.sequenceLength, 1)
    let (layers, tokens) = (Double(layers), Double(evaluationTokens) * unevenness(windows))
    let heads = Double(headWeights) / Double(max(layerWeights, 1))
    let graded = requests.contains { $0.method.gradesWeights } ? 2 * layers : 0
    return [
      .loading: (layers + heads) * Double(1 + measuredGroups), .rounding: graded, .forward: tokens * layers,
      .masking: tokens * layers * Double(requests.count), .predicting: tokens * Double(1 + requests.count),
    ] + verifyWork + [.unpacking: Double(parameters), .hashing: 2 * Double(unpackedBytes)]
  }

  /// Float32 operations, of all that counts.
  func operations(_ work: WorkAmounts) -> Double {
    let length = Double(document.evaluate.sequenceLength)
    return (work[.forward] + work[.masking]) * operations(sequenceLength: Int(length))
      + work[.counting] * operations(sequenceLength: sequenceLength)
      + 2 * work[.predicting] * Double(headWeights) + 2 * work[.plainProducts]
  }
}
