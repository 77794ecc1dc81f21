import Corpus
import Reports

// What a pipeline asks for and the machine or the text does not have.
extension PipelineShape {
  /// What the machine lacks.
  func problems(_ stages: [PipelinePlan.Stage], _ machine: MachineResources) -> [PipelinePlan.Problem] {
    var problems = stages.filter { $0.memory > machine.memory }.map { stage in
      PipelinePlan.Problem(
        stage: stage.name,
        text: "it takes about \(Format.bytes(stage.memory)) of memory, and \(Format.bytes(machine.memory)) are free: "
          + (stage.name == "collect"
            ? "give fewer --threads or a smaller collect.memory" : "run it on a larger machine")
      )
    }
    let artifacts = stages.reduce(0) { $0 + Double($1.artifacts) * Double($1.jobs) }
    let disk = Int(min(artifacts + (stages.map { Double($0.scratch) * Double($0.jobs) }.max() ?? 0), 1e18))
    if disk > machine.disk {
      problems.append(
        .init(
          stage: "run",
          text:
            "its files take about \(Format.bytes(disk)), and the disk has \(Format.bytes(machine.disk)) left: make room"
        ))
    }
    if document.collect?.untilConfident != nil, shards > 1 {
      problems.append(
        .init(
          stage: "collect",
          text:
            "until_confident reads the sample from its beginning, which cannot be cut into shards: leave one of them out"
        ))
    }
    return problems
  }

  /// Sources that may have too few tokens, as far as their first documents tell.
  func textProblems(_ sources: [TextSource], _ costs: MachineCosts) -> [PipelinePlan.Problem] {
    let weights = sources.map(\.weight)
    return sources.indices.compactMap { index in
      guard let density = costs.tokensPerByte[index] else { return nil }
      let share = Double(tokens) * weights[index] / max(weights.reduce(0, +), 1e-9)
      let available = Double(sourceBytes[index]) * density
      guard available < 1.05 * share else { return nil }
      return .init(
        stage: "sample",
        text: "\(sources[index].patterns.joined(separator: ", ")) has about \(Format.quantity(available)) tokens, and "
          + "\(Format.quantity(share)) are asked for: give more text or ask for fewer")
    }
  }
}
