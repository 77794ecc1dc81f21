import ActivationStatistics
import Corpus
import Foundation

// A collection that many processes share.
extension PipelineRunner {
  /// Collects some of the sequences, as other processes do the others, into the folder's `shards`: `gambit merge` puts them
  /// together to the statistics that the next stage is solved from. Any number of processes may do so side by side.
  ///
  /// - Returns: The file's path.
  /// - Throws: ``PipelineError`` where the sample is not drawn yet, or what the stage throws.
  public func collect(_ shard: CollectStage.Shard) throws -> String {
    guard document.collect?.untilConfident == nil else {
      throw PipelineError.badSetting(
        "collect.until_confident", reason: "it reads the sample from its beginning, which cannot be cut into shards")
    }
    let fingerprint = StageCache.fingerprint([Stage.sample.rawValue] + (try inputs(of: .sample)))
    guard cache.isCurrent(Stage.sample.rawValue, fingerprint) else {
      throw PipelineError.noSample(folder: output)
    }
    let folder = path("shards")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let file = "\(folder)/\(shard.index)-of-\(shard.count).h5"
    let sequences = try TokenSequences(contentsOf: URL(filePath: path("sample.h5")))
    if try isWhole(file, of: shard.range(of: sequences.count), sequences) {
      console.note("collect: \(file) is up to date")
    } else {
      try collectStage.run(
        model, sequences, samplePath: path("sample.h5"), output: file, shard: shard, resuming: .whereSame, console)
    }
    return file
  }

  var collectStage: CollectStage {
    CollectStage(
      sinkPositions: document.collect?.sinks ?? 0, memoryBudget: document.memoryBudget,
      threads: threads, scores: document.collect?.scores)
  }

  /// Whether shards were put together to what this pipeline's collection would write.
  ///
  /// - Throws: ``PipelineError/otherStatistics(path:difference:)`` where they were put together to something else: what many
  ///   machines may have worked for is not written over.
  var hasMergedStatistics: Bool {
    get throws {
      guard document.collect?.untilConfident == nil else { return false }
      guard let found = try? StatisticsFile(partAt: path("statistics.h5")) else { return false }
      let sequences = try TokenSequences(contentsOf: URL(filePath: path("sample.h5")))
      guard let difference = try expected(0..<sequences.count, sequences).difference(from: found.description) else {
        return found.isReadable
      }
      guard cache.isAsLeft("statistics.h5", by: Stage.collect.rawValue) else {
        throw PipelineError.otherStatistics(path: found.path, difference: difference)
      }
      return false
    }
  }

  /// Whether a file holds the statistics of some of the sequences, whoever wrote it: all of it is read.
  private func isWhole(_ file: String, of range: Range<Int>, _ sequences: TokenSequences) throws -> Bool {
    guard let found = try? StatisticsFile(path: file) else { return false }
    return try found.description == expected(range, sequences) && found.isReadable
  }

  private func expected(_ range: Range<Int>, _ sequences: TokenSequences) throws -> StatisticsDescription {
    try collectStage.describe(range, model, sequences, samplePath: path("sample.h5"))
  }
}

extension StatisticsFile {
  fileprivate var isReadable: Bool { description.layers.allSatisfy { (try? layer($0)) != nil } }
}
