import Reports

/// What a pipeline will take of a machine, stage by stage, before anything has run.
public struct PipelinePlan: Sendable, Encodable {
  public struct Stage: Sendable, Encodable {
    public var name: String
    /// Processes that may run side by side; all other figures are of one of them.
    public var jobs: Int
    /// Multiplications and additions of float32.
    public var operations: Double
    public var seconds: Double
    /// In bytes.
    public var memory: Int
    public var scratch: Int
    public var artifacts: Int

    init(_ name: String, jobs: Int = 1, _ operations: Double, seconds: Double, _ sizes: StageSizes) {
      self.name = name
      self.jobs = jobs
      self.operations = operations
      self.seconds = seconds
      (memory, scratch, artifacts) = (sizes.memory, sizes.scratch, sizes.artifacts)
    }
  }

  /// Something that will fail, or may.
  public struct Problem: Sendable, Encodable, Equatable {
    public var stage: String
    /// One sentence.
    public var text: String
  }

  public var pipeline: String
  public var model: String
  public var tokens: Int
  public var shards: Int
  public var threads: Int
  public var machine: MachineResources
  public var costs: MachineCosts
  public var stages: [Stage]
  /// From the first stage's beginning to the last one's end, jobs of a stage side by side.
  public var seconds: Double
  public var problems: [Problem]

  /// What a person reads.
  public var table: String {
    var table = TextTable(["stage", "jobs", "operations", "time", "memory", "scratch", "leaves"])
    for stage in stages {
      table.add([
        stage.name, "\(stage.jobs)", Format.quantity(stage.operations), Format.duration(stage.seconds),
        Format.bytes(stage.memory), Format.bytes(stage.scratch), Format.bytes(stage.artifacts),
      ])
    }
    let each = shards > 1 ? ", each of \(shards) shards on a machine of its own" : ""
    let heading =
      "\(model), \(tokens) tokens: \(Format.duration(seconds)) in all\(each) (\(threads) threads, "
      + "\(Format.fixed(costs.gemmGflops, 0)) GFLOPS)"
    return
      ([heading, "", table.description] + (problems.isEmpty ? [] : [""])
      + problems.map { "\($0.stage): \($0.text)" }).joined(separator: "\n")
  }
}
