import Evaluation
import Foundation
import Reports
import ThresholdSolver

extension Comparison {
  /// Charts of single methods show the row asked for a sparsity near this.
  private static let shownSparsity = 0.5
  private static let shownMethods = 8

  /// `report.html`.
  ///
  /// - Parameter notes: Facts beside those of the comparison.
  func page(_ distributions: LayerDistributions?, notes: [(name: String, value: String)] = []) -> String {
    var page = HTMLPage(
      title: "\(model): methods compared",
      facts: [
        ("Text", "\(text.windows) × \(text.sequenceLength) tokens of \(text.files.joined(separator: ", "))"),
        ("Model", "sha256 \(modelSha256)"), ("Made by", "gambit \(tool.version)"),
      ] + notes)
    page.add(heading: "Results", [HTMLPage.paragraph(Self.legend(baseline: baseline)), table.html(caption: summary)])
    if let taskTable {
      page.add(heading: "Tasks", [taskTable.html(caption: Self.taskLegend)])
    }
    let types = rows.reduce(into: [String]()) { types, row in
      if row.kind == .method, !types.contains(row.weights) { types.append(row.weights) }
    }
    page.add(
      heading: "Quality against bytes", charts: types.map { ("quality-\($0)", quality(weights: $0)) })
    if types.count > 1 || rows.contains(where: { $0.kind == .model || $0.kind == .bundle }) {
      page.add(
        heading: "The frontier",
        note: "Every row whose KL is above 0. What lies on the dashed line is beaten by no row in both bytes and KL.",
        charts: [("frontier", frontier)])
    }
    let shown = shownRows
    if !shown.isEmpty {
      page.add(
        heading: "What each layer drops", note: "Of the text that was measured on.",
        charts: shown.enumerated().map { ("layers-\($0)", layerShares($1)) })
    }
    if let distributions { page.add(heading: "One layer", charts: charts(distributions, shown)) }
    return page.html
  }

  // MARK: Quality

  private func quality(weights: String) -> Chart {
    let methods = rows.filter { $0.kind == .method && $0.weights == weights }
    return Chart(
      "KL to the dense model, \(weights) weights",
      about: "KL over the bytes of weights that a token reads; a line a method, a point a sparsity. Lower is better, "
        + "and so is further left.",
      x: ChartAxis("weights read a token", unit: .megabytes),
      y: ChartAxis("KL to dense, nats a token", .logarithmic), series: Self.series(methods) { $0.curve })
  }

  private var frontier: Chart {
    let measured = rows.filter { ($0.kl ?? 0) > 0 }
    var best = Double.infinity
    let front = measured.sorted { $0.bytesPerToken < $1.bytesPerToken }.filter { row in
      defer { best = min(best, row.kl ?? best) }
      return row.kl ?? best < best
    }
    let hull = ChartSeries("frontier", front.map { ChartPoint($0.bytesPerToken, $0.kl ?? 0) }, .background)
    return Chart(
      "Bytes against KL",
      about: "KL to the dense model over the bytes of weights that a token reads, for every kind of weights.",
      x: ChartAxis("weights read a token", .logarithmic, unit: .megabytes),
      y: ChartAxis("KL to dense, nats a token", .logarithmic),
      series: [hull]
        + Self.series(measured) { row in
          switch row.kind {
          case .model: ComparisonRow.models
          case .dense: "dense, rounded"
          case .method: "\(row.curve), \(row.weights)"
          case .bundle: "bundle \(row.label)"
          }
        })
  }

  /// One series a name, in the order of the rows; points from few bytes to many.
  private static func series(_ rows: [ComparisonRow], _ name: (ComparisonRow) -> String) -> [ChartSeries] {
    let names = rows.map(name).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return names.map { own in
      let points = rows.filter { name($0) == own }.sorted { $0.bytesPerToken < $1.bytesPerToken }.map { row in
        ChartPoint(
          row.bytesPerToken, row.kl ?? 0, label: row.request.map { "asked \(Format.percent($0.sparsity))" } ?? row.label
        )
      }
      return ChartSeries(own, points, points.count > 1 ? .line : .points)
    }
  }

  // MARK: Layers

  /// Of each method, on the first weights that it was measured on, the row whose sparsity is nearest to the shown one.
  private var shownRows: [ComparisonRow] {
    let methods = rows.filter { $0.kind == .method }
    let curves = methods.reduce(into: [String]()) { if !$0.contains($1.curve) { $0.append($1.curve) } }
    return curves.prefix(Self.shownMethods).compactMap { curve in
      let own = methods.filter { $0.curve == curve }
      return own.filter { $0.weights == own[0].weights }.min { distance($0) < distance($1) }
    }
  }

  private func distance(_ row: ComparisonRow) -> Double {
    abs((row.request?.sparsity ?? 0) - Self.shownSparsity)
  }

  private func layerShares(_ row: ComparisonRow) -> Chart {
    Chart(
      "\(row.label) asked for \(Format.percent(row.request?.sparsity ?? 0))",
      about: "The share that each layer drops, a line for each place of cutting.",
      x: ChartAxis("layer"), y: ChartAxis("share dropped", unit: .percent, including: [0, 1]),
      series: Thresholds.Place.allCases.compactMap { place in
        let points = row.layers.enumerated().compactMap { index, shares in
          // Without a second cut as many columns are dropped as rows.
          (shares[place] ?? (place == .down ? shares.ffn : nil)).map { ChartPoint(Double(index), $0) }
        }
        return points.isEmpty ? nil : ChartSeries(place.title, points, .curve)
      })
  }

  private func charts(
    _ distributions: LayerDistributions, _ shown: [ComparisonRow]
  ) -> [(id: String, chart: Chart)] {
    func series(_ curve: LayerDistributions.Curve) -> ChartSeries {
      ChartSeries(curve.name, curve.points.map { ChartPoint($0.magnitude, $0.value) }, .curve)
    }
    let names = shown.compactMap { row in row.request.map { "\(row.label) \($0.sparsity)" } }
    let thresholds = names.compactMap { name in distributions.thresholds.first { $0.name == name } }
    let activations = Chart(
      "Activations of layer \(distributions.layer)",
      about: "How magnitudes are distributed over all channels and tokens of the calibration text: the share of values "
        + "in each octave.",
      x: ChartAxis("magnitude", .logarithmic), y: ChartAxis("values an octave", unit: .percent, including: [0]),
      series: distributions.activations.map(series))
    let cuts = Chart(
      "Thresholds of layer \(distributions.layer)",
      about:
        "The share of FFN channels whose threshold is at most a magnitude; a vertical line is one threshold for all.",
      x: ChartAxis("threshold", .logarithmic), y: ChartAxis("channels", unit: .percent, including: [0, 1]),
      series: thresholds.map(series))
    return [("activations", activations), ("thresholds", cuts)]
  }
}
