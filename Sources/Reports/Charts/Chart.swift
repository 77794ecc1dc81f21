/// Numbers drawn as lines or points over two axes.
///
///     Chart(
///       "Quality against bytes", about: "KL to the dense model over bytes a token, one line a method",
///       x: ChartAxis("bytes a token", unit: .megabytes), y: ChartAxis("KL", .logarithmic),
///       series: [ChartSeries("chess", [ChartPoint(108e6, 0.17)])]
///     ).html(id: "quality")
///
/// The drawing is SVG that refers to nothing outside of itself, takes its colours from the page's style sheet and has a
/// title and a description for screen readers; each point says its values when pointed at. It computes nothing.
public struct Chart: Sendable {
  public let title: String
  /// What can be seen, in a sentence.
  public let about: String
  public let x: ChartAxis
  public let y: ChartAxis
  public let series: [ChartSeries]

  public init(_ title: String, about: String, x: ChartAxis, y: ChartAxis, series: [ChartSeries]) {
    self.title = title
    self.about = about
    self.x = x
    self.y = y
    self.series = series
  }

  var hasPoints: Bool { series.contains { $0.points.contains { x.canShow($0.x) && y.canShow($0.y) } } }
}

public struct ChartPoint: Sendable, Equatable {
  public var x: Double
  public var y: Double
  /// What the point is, beside its numbers.
  public var label: String?

  public init(_ x: Double, _ y: Double, label: String? = nil) {
    self.x = x
    self.y = y
    self.label = label
  }
}

public struct ChartSeries: Sendable {
  public enum Style: Sendable {
    /// Points and the lines between them.
    case line
    case points
    /// A line without points, for many values.
    case curve
    /// Dashed and pale, behind the others.
    case background
  }

  public var name: String
  public var points: [ChartPoint]
  public var style: Style

  /// - Parameter points: In the order in which a line joins them.
  public init(_ name: String, _ points: [ChartPoint], _ style: Style = .line) {
    self.name = name
    self.points = points
    self.style = style
  }
}
