import Foundation
import Reports
import ThresholdSolver

extension Comparison {
  /// A row each; the best of those asked for the same sparsity with the same weights is bold.
  public var table: TextTable {
    var titles = [
      "row", "weights", "asked", "FFN dropped", "down", "inputs", "query", "output",
    ]
    let rare = Thresholds.Place.rare(in: rows.compactMap(\.realised))
    titles += rare.map(\.heading) + ["activated", "of dense", "MB a token"]
    let perplexity = titles.count
    titles += ["perplexity", "KL", "top-1"]
    titles += baseline.map { ["KL of \($0)", "of that"] } ?? []
    let mean = titles.count
    if hasTasks { titles += ["tasks", "to dense"] }
    var table = TextTable(titles)
    for (index, row) in rows.enumerated() {
      var bold: Set<Int> = []
      if isBest(index, { $0.perplexity }) { bold.insert(perplexity) }
      if isBest(index, { $0.kl }) { bold.insert(perplexity + 1) }
      if isBest(index, { $0.top1Agreement.map { -$0 } }) { bold.insert(perplexity + 2) }
      if isBest(index, { $0.tasks.map { -$0.mean } }) { bold.insert(mean) }
      table.add(cells(row, rare), bold: bold)
    }
    return table
  }

  private func cells(_ row: ComparisonRow, _ rare: [Thresholds.Place]) -> [String] {
    func share(_ value: Double?) -> String { value.map(Format.percent) ?? "–" }
    let kl = row.kl.map { kl in Format.fixed(kl, 4) + (row.klStderr.map { " ± \(Format.fixed($0, 4))" } ?? "") }
    var cells = [
      row.label, row.weights, share(row.request?.sparsity), share(row.realised?.ffn),
      share(row.realised.map { $0.down ?? $0.ffn }), share(row.realised?.input),
      share(row.realised?.query), share(row.realised?.output),
    ]
    cells += rare.map { share(row.realised?[$0]) }
    cells += [
      Format.quantity(row.activatedParameters), Format.percent(row.activatedShare),
      Format.fixed(row.bytesPerToken / 1e6, 1), Format.fixed(row.perplexity, 2), kl ?? "–", share(row.top1Agreement),
    ]
    if baseline != nil {
      cells.append(row.baselineKl.map { Format.fixed($0, 4) } ?? "–")
      cells.append(row.baselineKl.flatMap { baseline in row.kl.map { Format.fixed($0 / baseline, 2) } } ?? "–")
    }
    if hasTasks {
      cells.append(row.tasks.map { Self.percent($0.mean, $0.meanStderr) } ?? "–")
      cells.append(row.tasks?.difference.map { Self.percent($0, row.tasks?.differenceStderr) } ?? "–")
    }
    return cells
  }

  private var hasTasks: Bool { rows.contains { $0.tasks != nil } }

  private static func percent(_ share: Double, _ error: Double?) -> String {
    Format.fixed(share * 100, 1) + (error.map { " ± " + Format.fixed($0 * 100, 1) } ?? "")
  }

  /// Every task by itself, in percent of its questions; `nil` where none was asked for.
  public var taskTable: TextTable? {
    guard let tasks = rows.lazy.compactMap(\.tasks).first?.results else { return nil }
    var table = TextTable(["row", "weights", "asked"] + tasks.map { "\($0.task) (\($0.questions))" })
    for (index, row) in rows.enumerated() {
      let results = row.tasks?.results ?? []
      let best = results.indices.filter { task in
        isBest(index) { row in row.tasks.map { -$0.results[task].accuracy } }
      }
      table.add(
        [row.label, row.weights, row.request.map { Format.percent($0.sparsity) } ?? "–"]
          + results.map { Self.percent($0.accuracy, $0.accuracyStderr) }, bold: Set(best.map { $0 + 3 }))
    }
    return table
  }

  /// What was measured, in a sentence.
  public var summary: String {
    "\(model) on \(text.windows) × \(text.sequenceLength) tokens of \(text.files.joined(separator: ", ")), "
      + "sparse on every position."
  }

  /// What columns mean.
  static func legend(baseline: String?) -> String {
    let bytes = "Bytes are of the weights that a token reads, at the shares that were dropped of this text. "
    let best = "The best of the methods asked for the same sparsity with the same weights is bold. "
    return bytes + best
      + (baseline.map {
        "“KL of \($0)” is what \($0) loses at the row's bytes, between its own rows; “of that” is this row's part of it."
      } ?? "")
  }

  static let taskLegend =
    "Questions answered rightly, in percent, by the accuracy that each task is usually reported by; how many were asked "
    + "stands behind its name."

  public var markdown: String {
    "# \(model): methods compared\n\n\(summary) \(Self.legend(baseline: baseline))\n\n\(table.markdown)"
      + (taskTable.map { "\n## Tasks\n\n\(Self.taskLegend)\n\n\($0.markdown)" } ?? "")
  }

  /// Comma-separated values, a line a row, numbers in full.
  public var csv: String {
    let columns: [(String, (ComparisonRow) -> String?)] = [
      ("label", { $0.label }), ("kind", { $0.kind.rawValue }), ("weights", { $0.weights }),
      ("sparsity", { $0.request.map { "\($0.sparsity)" } }),
      ("realised_ffn", { $0.realised.map { "\($0.ffn)" } }),
      ("realised_down", { $0.realised.map { "\($0.down ?? $0.ffn)" } }),
      ("realised_input", { $0.realised?.input.map { "\($0)" } }),
      ("realised_other_input", { $0.realised?.otherInput.map { "\($0)" } }),
      ("realised_query", { $0.realised?.query.map { "\($0)" } }),
      ("realised_key", { $0.realised?.key.map { "\($0)" } }),
      ("realised_value", { $0.realised?.value.map { "\($0)" } }),
      ("realised_output", { $0.realised?.output.map { "\($0)" } }),
      ("activated_parameters", { "\($0.activatedParameters)" }), ("activated_share", { "\($0.activatedShare)" }),
      ("bytes_per_token", { "\($0.bytesPerToken)" }), ("tokens", { "\($0.tokens)" }),
      ("perplexity", { "\($0.perplexity)" }), ("nll", { "\($0.nll)" }),
      ("nll_stderr", { $0.nllStderr.map { "\($0)" } }), ("kl", { $0.kl.map { "\($0)" } }),
      ("kl_stderr", { $0.klStderr.map { "\($0)" } }), ("top1_agreement", { $0.top1Agreement.map { "\($0)" } }),
      ("tasks_mean", { $0.tasks.map { "\($0.mean)" } }),
      ("tasks_difference", { $0.tasks?.difference.map { "\($0)" } }),
      ("tasks_difference_stderr", { $0.tasks?.differenceStderr.map { "\($0)" } }),
      ("baseline_kl", { $0.baselineKl.map { "\($0)" } }),
      ("tokens_sha256", { $0.measuredOn.tokensSha256 }),
    ]
    let lines = [columns.map(\.0)] + rows.map { row in columns.map { Self.quoted($0.1(row) ?? "") } }
    return lines.map { $0.joined(separator: ",") + "\r\n" }.joined()
  }

  /// As RFC 4180 has it.
  private static func quoted(_ cell: String) -> String {
    guard cell.unicodeScalars.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else { return cell }
    return "\"" + cell.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\""
  }
}
