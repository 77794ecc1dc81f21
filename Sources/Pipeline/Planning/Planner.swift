import Checkpoints
import Corpus
import Files
import Foundation
import Reports

/// Predicts what a pipeline takes: from its document and the model's shape what is to be done, and from a few seconds'
/// measurement what that costs here.
public struct Planner {
  /// What decides into how many shards the collection is cut.
  public enum Cut: Sendable, Equatable {
    case shards(Int)
    /// Seconds in which all is to be done, each shard on a machine of its own.
    case deadline(Double)
    /// Bytes that a job of `collect` may take.
    case memory(Int)
  }

  private let shape: PipelineShape
  private let pipeline: String
  private let model: Checkpoint
  private let sources: [TextSource]
  private let output: String

  /// - Parameters:
  ///   - pipeline: The document's path, as given.
  ///   - output: The folder that the run will have.
  /// - Throws: What reading the model's header or finding the texts throws.
  public init(_ document: PipelineDocument, pipeline: String, output: String, threads: Int) throws {
    self.pipeline = pipeline
    self.output = output
    let base = PipelineDocument.base(of: pipeline)
    model = try Checkpoint.open(PipelineDocument.resolve(document.model.path, base))
    sources = document.textSources(base)
    shape = try PipelineShape(
      document, model, sources: sources, evaluated: document.evaluationFiles(base), threads: threads, shards: 1)
    guard document.sample.sequenceLength <= model.configuration.contextLength else {
      throw PipelineError.sequenceTooLong(
        length: document.sample.sequenceLength, limit: model.configuration.contextLength)
    }
  }

  /// - Parameters:
  ///   - gflops: The rate of products of the machines that will run it; this one's where it is `nil`.
  /// - Throws: ``PipelineError/badSetting(_:reason:)`` where no number of shards is few enough, or what measuring throws.
  /// - Complexity: a layer's work, some seconds.
  public func plan(_ cut: Cut, gflops: Double? = nil, _ console: Console) throws -> PipelinePlan {
    let folder = FileManager.default.temporaryDirectory.appending(path: "gambit-plan-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var costs = try console.task("measure this machine", total: 1, unit: "") { _ in
      try CostMeasurement(model: model, shape: shape, sources: sources, folder: folder).run()
    }
    if let gflops { costs = costs.scaled(toGflops: gflops) }
    return plan(shards: try shards(cut, costs), costs)
  }

  /// What a run on this machine lacks, as far as shapes alone tell: nothing is measured, and the pipeline is not cut.
  static func misfits(_ shape: PipelineShape, output: String) -> [PipelinePlan.Problem] {
    let costs = MachineCosts.sizes(of: shape)
    let stages = [
      ("sample", shape.sampleSizes()), ("collect", shape.collectSizes(costs, seconds: .infinity)),
      ("solve", shape.solveSizes()), ("export", shape.exportSizes(costs)), ("evaluate", shape.evaluateSizes()),
    ].map { PipelinePlan.Stage($0, 0, seconds: 0, $1) }
    return shape.problems(stages, MachineResources.here(folder: output))
  }

  // MARK: How many shards

  private func shards(_ cut: Cut, _ costs: MachineCosts) throws -> Int {
    switch cut {
    case .shards(let count):
      guard (1...shape.sequences).contains(count) else {
        throw PipelineError.badShard(index: count, count: count, sequences: shape.sequences)
      }
      return count
    case .deadline(let limit):
      let plans = Self.candidates(upTo: shape.sequences).lazy.map { (shards: $0, plan: plan(shards: $0, costs)) }
      if let found = plans.first(where: { $0.plan.seconds <= limit }) { return found.shards }
      let best = plans.min { $0.plan.seconds < $1.plan.seconds }
      throw PipelineError.badSetting(
        "deadline",
        reason: "no number of shards meets it: the least is \(Format.duration(best?.plan.seconds ?? 0)), with "
          + "\(best?.shards ?? 1) shards, since all stages but collect run on one machine")
    case .memory(let limit):
      let sizes = Self.candidates(upTo: shape.sequences).lazy.map { shards in
        (shards, collect(PipelineShape(shape, shards: shards), costs).memory)
      }
      if let found = sizes.first(where: { $0.1 <= limit }) { return found.0 }
      throw PipelineError.badSetting(
        "memory-limit",
        reason:
          "a job of collect takes \(Format.bytes(sizes.map(\.1).min() ?? 0)) however small its shard is, for a layer's "
          + "weights and what each thread counts: give more, or fewer --threads")
    }
  }

  /// 1, 2, 3, … and further apart as they become many.
  private static func candidates(upTo limit: Int) -> [Int] {
    var (found, next) = ([Int](), 1)
    while next <= limit, found.count < 2000 {
      found.append(next)
      next += max(1, next / 32)
    }
    return found
  }

  // MARK: The plan

  private func plan(shards: Int, _ costs: MachineCosts) -> PipelinePlan {
    let shape = PipelineShape(shape, shards: shards)
    let machine = MachineResources.here(folder: output)
    var stages = [stage("sample", shape.sampleWork, shape.sampleSizes(), costs, reads: 1), collect(shape, costs)]
    if shards > 1 { stages.append(stage("merge", shape.mergeWork, shape.mergeSizes(costs), costs)) }
    stages += [
      stage("solve", shape.solveWork, shape.solveSizes(), costs),
      stage("export", shape.exportWork, shape.exportSizes(costs), costs),
    ]
    // A run verifies what it has exported within its last stage; jobs of a cluster do it beside that.
    if shards > 1 { stages.append(stage("verify", shape.verifyWork, shape.verifySizes(), costs)) }
    stages.append(stage("evaluate", shape.evaluateWork, shape.evaluateSizes(), costs))
    return PipelinePlan(
      pipeline: pipeline, model: model.name, tokens: shape.tokens, shards: shards, threads: shape.threads,
      machine: machine, costs: costs, stages: stages,
      seconds: stages.reduce(0) { $0 + ($1.name == "verify" ? 0 : $1.seconds) },
      problems: shape.problems(stages, machine) + shape.textProblems(sources, costs))
  }

  private func collect(_ shape: PipelineShape, _ costs: MachineCosts) -> PipelinePlan.Stage {
    let seconds = seconds(shape.collectWork, costs)
    var stage = stage("collect", shape.collectWork, shape.collectSizes(costs, seconds: seconds), costs)
    stage.jobs = shape.shards
    return stage
  }

  private func stage(
    _ name: String, _ work: WorkAmounts, _ sizes: StageSizes, _ costs: MachineCosts, reads: Double = 0
  ) -> PipelinePlan.Stage {
    PipelinePlan.Stage(
      name, shape.operations(work), seconds: seconds(work, costs, reads: reads), sizes)
  }

  /// Layers are read ahead while others are computed, so that the longer of both counts; what is hashed is read first.
  ///
  /// - Parameter reads: How often the whole model is hashed.
  private func seconds(_ work: WorkAmounts, _ costs: MachineCosts, reads: Double = 0) -> Double {
    let once = Double(shape.modelBytes) / max(costs.diskBytesPerSecond, 1)
    // A model that fits into memory is read from the disk once.
    let fits = shape.modelBytes < MachineResources.here(folder: output).memory
    let walks = fits ? 0 : work[.loading] / Double(max(shape.layers, 1))
    return max(work.seconds(costs.seconds), once * walks) + once * reads
  }
}
