import Reports
import ThresholdSolver

extension RunReport {
  /// The methods beside the dense model, and what became of the bundle.
  public var table: String {
    let rare = Thresholds.Place.rare(in: methods.map(\.realised))
    var table = TextTable(
      ["method", "asked", "FFN dropped", "down", "inputs", "query", "output"] + rare.map(\.heading)
        + ["perplexity", "KL", "activated", "of dense"])
    let activated = methods.first.map { $0.activatedParameters / $0.activatedShare }
    table.add(
      ["dense", "–", "–", "–", "–", "–", "–"] + rare.map { _ in "–" } + [Format.fixed(dense.perplexity, 2), "0"]
        + [activated.map(Format.quantity) ?? "–", "100.0%"])
    for method in methods {
      let shares = rare.map { method.realised[$0].map(Format.percent) ?? "–" }
      let cells = [
        method.label, Format.percent(method.sparsity), Format.percent(method.realised.ffn),
        Format.percent(method.realised.down ?? method.realised.ffn), method.realised.input.map(Format.percent) ?? "–",
        method.realised.query.map(Format.percent) ?? "–",
        method.realised.output.map(Format.percent) ?? "–",
      ]
      let figures = [
        Format.fixed(method.perplexity, 2), Format.fixed(method.kl, 4), Format.quantity(method.activatedParameters),
        Format.percent(method.activatedShare),
      ]
      table.add(cells + shares + figures)
    }
    let heading = "\(model) on \(text.windows) × \(text.sequenceLength) tokens of \(text.files.joined(separator: ", "))"
    return ([heading, "", table.description, ""] + outcomes.map { "\($0.name): \($0.value)" }).joined(separator: "\n")
  }

  /// What became of the bundle.
  var outcomes: [(name: String, value: String)] {
    var outcomes: [(name: String, value: String)] = []
    if let bundle {
      outcomes.append(("bundle", "\(Format.bytes(bundle.bytes)), \(bundle.weights.rawValue) weights"))
    }
    if let verification {
      let passed = verification.checks.count(where: \.ok)
      outcomes.append(
        ("verify", "\(verification.ok ? "passed" : "FAILED"), \(passed) of \(verification.checks.count) checks"))
    }
    if let generation {
      let rate = Format.fixed(generation.tokensPerSecond, 1)
      outcomes.append(("generate", "\(rate) tokens a second by the fast engine, over \(generation.tokens) tokens"))
    }
    return outcomes
  }
}

extension RunReport.Method {
  /// `chess-rms + attention`, `energy-per-channel + second cut 0.1`
  fileprivate var label: String {
    let cut = (secondCut.map { " + second cut \($0)" } ?? "") + (inputCut.map { " + input cut \($0)" } ?? "")
    return ([method.rawValue] + [norm?.rawValue, source?.rawValue].compactMap { $0 }).joined(separator: "-")
      + cut + (attention ? " + attention" : "") + (allocation.map { " + \($0.rawValue) allocation" } ?? "")
      + (head == true ? " + head on demand" : "")
  }
}
