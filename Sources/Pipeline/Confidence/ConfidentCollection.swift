import ActivationStatistics
import Checkpoints
import Corpus
import Foundation
import Reports
import ThresholdSolver

/// token sequences → activation statistics of as many of them as are enough
///
/// The sample is read in rounds, each of which reads as much as all before it together, in two shards; the first one
/// reads four shards. After each round standard errors are reckoned from the shards read so far. What comes out has the
/// bytes of an ordinary collection of the same sequences, the sample's first ones.
public struct ConfidentCollection: Sendable {
  /// Sequences of a shard of the first round: documents that go on in the next shard must not weigh much.
  private static let firstShard = 4
  private static let firstShards = 4

  public var stage: CollectStage
  /// Enough is read when, at every place of every layer, neither the share nor half of the thresholds have a larger
  /// standard error.
  public var limit: Double

  public init(_ stage: CollectStage, limit: Double) {
    self.stage = stage
    self.limit = limit
  }

  /// What confidence is asked of: statistics have no method and no sparsity, but standard errors do. It cuts where
  /// every method does, and costs little.
  static var reference: SolverRequest {
    get throws(SolverError) { try SolverRequest(method: .chess, attention: true, sparsity: 0.5) }
  }

  /// - Parameter resuming: What to do with what an interrupted run left beside `output`.
  /// - Throws: ``PipelineError`` where model and sample do not fit or the sample is too small to be cut; what any part
  ///   throws. What is finished stays and can be resumed.
  public func run(
    _ model: Checkpoint, _ sample: TokenSequences, samplePath: String, output: String,
    resuming: StatisticsCheckpoint.Resumption, _ console: Console
  ) throws -> ConfidentCollectionReport {
    let rounds = try Self.rounds(of: sample.count)
    let folder = output + ".shards"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let confidence = ConfidenceStage(try Self.reference)
    var paths: [String] = []
    var reports: [ConfidenceReport] = []
    for round in rounds {
      for range in round {
        let path = Self.path(of: range, in: folder)
        let description = try stage.describe(range, model, sample, samplePath: samplePath)
        if try !Self.isThere(path, description, resuming) {
          try stage.run(
            model, sample, range, samplePath: samplePath, output: path, resuming: resuming, console)
        }
        paths.append(path)
      }
      let report = try confidence.run(paths, console)
      reports.append(report)
      console.note(
        "collect: \(report.tokens) tokens, the worst layer's standard errors are "
          + "\(Format.fixed(report.largestShareStderr * 100, 2)) points of a share and "
          + "\(Format.fixed(report.largestThresholdStderr * 100, 2))% of a threshold")
      if report.isWithin(limit) { break }
    }
    try StatisticsFile.merge(paths, to: output)
    try Self.remove(rounds.joined().map { Self.path(of: $0, in: folder) }, folder)
    return ConfidentCollectionReport(reports, limit: limit)
  }

  /// Ranges of sequences, `[rounds][shards]`.
  static func rounds(of sequences: Int) throws -> [[Range<Int>]] {
    let first = min(sequences, firstShard * firstShards)
    guard first >= firstShards else {
      throw PipelineError.badSetting(
        "until-confident",
        reason: "a sample of \(sequences) sequences has too few for \(firstShards) shards: draw a larger one")
    }
    var rounds = [parts(0..<first, firstShards)]
    var read = first
    while read < sequences {
      let next = min(sequences, 2 * read)
      rounds.append(parts(read..<next, min(2, next - read)))
      read = next
    }
    return rounds
  }

  private static func parts(_ range: Range<Int>, _ count: Int) -> [Range<Int>] {
    func bound(_ i: Int) -> Int { range.lowerBound + range.count * i / count }
    return (0..<count).map { bound($0)..<bound($0 + 1) }
  }

  /// Whether an interrupted run has left a shard.
  private static func isThere(
    _ path: String, _ description: StatisticsDescription, _ resuming: StatisticsCheckpoint.Resumption
  ) throws -> Bool {
    guard resuming != .never, FileManager.default.fileExists(atPath: path) else { return false }
    guard resuming != .onlyIfAsked else { throw StatisticsError.unfinished(path: path) }
    let isSame = try StatisticsFile(path: path).description == description
    if !isSame, resuming == .always { throw StatisticsError.otherCheckpoint(path: path) }
    return isSame
  }

  private static func path(of range: Range<Int>, in folder: String) -> String {
    "\(folder)/\(range.lowerBound)-\(range.upperBound).h5"
  }

  /// Removes shards, those that an earlier run with another limit has left among them, and their folder, but nothing
  /// that is not ours.
  private static func remove(_ shards: [String], _ folder: String) throws {
    let files = FileManager.default
    for path in shards.flatMap({ [$0, $0 + ".partial"] }) where files.fileExists(atPath: path) {
      try files.removeItem(atPath: path)
    }
    if try files.contentsOfDirectory(atPath: folder).isEmpty { try files.removeItem(atPath: folder) }
  }
}
