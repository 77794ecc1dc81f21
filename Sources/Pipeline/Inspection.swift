import ActivationStatistics
import Checkpoints
import Corpus
import Files
import Foundation
import Reports
import SparseBundle
import ThresholdSolver

/// A readable summary of a checkpoint or of anything that Gambit writes.
public struct Inspection: Sendable, Encodable {
  public private(set) var kind: String
  /// Names and values, in the order in which they read best.
  public private(set) var facts: [(String, String)] = []

  /// Looks at the file's first bytes, or at the folder's files, not at names.
  ///
  /// - Throws: What the reader of that kind of file throws.
  public init(path: String) throws {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw PipelineError.nothingThere(path: path)
    }
    kind = ""
    if isDirectory.boolValue {
      let isBundle = FileManager.default.fileExists(atPath: path + "/" + BundleFile.manifest)
      try isBundle ? describe(ModelBundle(path: path)) : describe(Checkpoint.open(path))
      return
    }
    let file = try FileReader(path: path)
    let start = try file.read(at: 0, count: min(8, file.count))
    if start.starts(with: Array("GGUF".utf8)) {
      try describe(Checkpoint.open(path))
    } else if start.starts(with: [0x89] + Array("HDF".utf8)) {
      if let statistics = try? StatisticsFile(partAt: path) {
        describe(statistics)
      } else {
        try describe(TokenSequences(contentsOf: URL(filePath: path)))
      }
    } else {
      let tensors = try SafetensorsFile(path: path)
      if let thresholds = try? Thresholds(tensors) { describe(thresholds) } else { describe(tensors) }
    }
  }

  private mutating func describe(_ model: Checkpoint) throws {
    kind = "checkpoint"
    let c = model.configuration
    facts = [
      ("name", model.name), ("format", model.format.rawValue), ("architecture", c.architecture.rawValue),
      ("parameters", Format.quantity(Double(model.parameterCount))), ("layers", "\(c.layerCount)"),
      ("hidden size", "\(c.hiddenSize)"), ("intermediate size", "\(c.intermediateSize)"),
      ("heads", "\(c.headCount) of \(c.headDimension), \(c.keyValueHeadCount) for key and value"),
      ("vocabulary", "\(c.vocabularySize)\(c.tiedEmbeddings ? ", tied to the output head" : "")"),
      ("context", "\(c.contextLength) tokens"), ("pre-tokenizer", try model.tokenizer.preTokenizer.rawValue),
      ("sha256", try model.hash),
    ]
  }

  private mutating func describe(_ sample: TokenSequences) {
    kind = "sample"
    facts = [
      ("sequences", "\(sample.count) of \(sample.sequenceLength) tokens"), ("seed", "\(sample.provenance.seed)"),
      ("tokenizer", sample.provenance.tokenizer), ("sha256 of tokens", sample.contentHash),
    ]
    for source in sample.provenance.sources {
      facts.append(
        (
          source.patterns.joined(separator: ", "),
          "\(source.used) of \(source.documents) documents, \(source.duplicates) duplicates, \(source.tokens) tokens"
        ))
    }
  }

  private mutating func describe(_ statistics: StatisticsFile) {
    kind = "statistics"
    let d = statistics.description
    facts = [
      ("model", "\(d.modelName) \(d.modelHash)"), ("corpus", d.corpusHash),
      (
        "layers",
        d.hasAllLayers ? "\(d.layerCount)" : "\(d.layers.lowerBound) to \(d.layers.upperBound - 1) of \(d.layerCount)"
      ), ("FFN channels", "\(d.intermediateSize)"),
      ("tokens", "\(d.tokens), and \(d.sinkTokens) at the first \(d.sinkPositions) positions"),
      ("sequences", "\(d.sequences) of \(d.sequenceCount), \(d.sequenceLength) tokens each"),
      ("written by", "gambit \(d.toolVersion)"),
    ]
  }

  private mutating func describe(_ thresholds: Thresholds) {
    kind = "thresholds"
    facts = facts(of: thresholds)
  }

  private func facts(of thresholds: Thresholds) -> [(String, String)] {
    let request = thresholds.request
    var facts = [
      ("method", request.method.rawValue + (request.norm.map { ", norm " + $0.rawValue } ?? "")),
      ("sparsity", Format.percent(request.sparsity)), ("layers", "\(thresholds.layers.count)"),
    ]
    if !request.method.cutsInputs {
      if !request.method.sources.isEmpty { facts.insert(("source", (request.source ?? .gate).rawValue), at: 1) }
      facts.append(("FFN channels dropped", Format.percent(thresholds.realised.ffn)))
    }
    for place in Thresholds.Place.allCases where place != .ffn {
      guard let share = thresholds.realised[place] else { continue }
      facts.append((place.title + " dropped", Format.percent(share)))
    }
    for place in Thresholds.Place.allCases {
      guard let share = thresholds.realised.full?[place] else { continue }
      let title = place == .ffn ? "FFN channels" : place.title
      facts.append((title + " read by both planes", Format.percent(share)))
    }
    if request.method.gradesWeights { facts.append(("FFN channels always read whole", Self.alwaysWhole(thresholds))) }
    if let margin = thresholds.headMargin {
      facts.append(("output head read by both planes", Format.percent(thresholds.realised.fullHead ?? 1)))
      facts.append(("margin of the output head", "\(margin)"))
    }
    if let allocation = request.allocation { facts.append(("allocation", allocation.rawValue)) }
    for (name, probed) in [
      ("allocation measured on", thresholds.allocationMeasuredOn), ("margin measured on", thresholds.headMeasuredOn),
    ] {
      guard let probed else { continue }
      facts.append((name, "\(probed.tokens) tokens of \(probed.text)"))
    }
    return facts + [("model sha256", thresholds.modelHash), ("corpus sha256", thresholds.corpusHash)]
  }

  /// The few channels of massive activations, which half of the bits would ruin: their threshold for all bits is 0.
  private static func alwaysWhole(_ thresholds: Thresholds) -> String {
    let layers = thresholds.layers.map { layer in
      (layer.full?.ffn ?? []).enumerated().filter { $0.element == 0 }.map(\.offset)
    }
    let named = layers.enumerated().filter { !$0.element.isEmpty }.map { layer, channels in
      let more = channels.count > 8 ? " and \(channels.count - 8) more" : ""
      return "layer \(layer): \(channels.prefix(8).map(String.init).joined(separator: ", "))\(more)"
    }
    return (["\(layers.reduce(0) { $0 + $1.count })"] + named).joined(separator: "; ")
  }

  private mutating func describe(_ bundle: ModelBundle) throws {
    kind = "bundle"
    facts =
      [
        ("model", bundle.manifest.model.name), ("weights", bundle.manifest.weights.type.rawValue),
        ("size", Format.bytes(try bundle.size)), ("unpacked", Format.bytes(bundle.manifest.weights.bytes)),
      ] + facts(of: bundle.thresholds)
    let quality = bundle.manifest.quality
    for budget in quality.budgets {
      facts.append(
        (
          "loss at \(Format.percent(budget.sparsity))",
          "perplexity \(Format.fixed(budget.perplexity, 2)), dense \(Format.fixed(quality.densePerplexity, 2)); KL "
            + "\(Format.fixed(budget.kl, 4)); on \(quality.tokens) tokens of \(quality.text)"
        ))
    }
    if let budgets = bundle.manifest.sparsification.budgets {
      facts.append(("other budgets", budgets.map { Format.percent($0.sparsity) }.joined(separator: ", ")))
    }
  }

  private mutating func describe(_ file: SafetensorsFile) {
    kind = "safetensors"
    facts = file.header.metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    for tensor in file.header.tensors { facts.append((tensor.name, "\(tensor.type.rawValue) \(tensor.shape)")) }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(kind, forKey: .kind)
    try container.encode(Dictionary(facts, uniquingKeysWith: { first, _ in first }), forKey: .facts)
  }

  private enum CodingKeys: String, CodingKey {
    case kind, facts
  }
}
