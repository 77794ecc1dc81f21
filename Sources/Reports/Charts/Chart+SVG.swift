import Foundation

extension Chart {
  // In the drawing's own units: text is of a readable size both on a phone, where a unit is about 0.7 pixels, and on a
  // desk, where it is about 1.2.
  private static let size = (width: 520.0, height: 340.0)
  private static let plot = (left: 78.0, right: 508.0, top: 14.0, bottom: 284.0)
  /// Tick labels need as many units a character.
  private static let characterWidth = 9.8

  /// A figure with its legend.
  ///
  /// - Parameter id: Unique in the page; letters and hyphens.
  public func html(id: String) -> String {
    guard hasPoints else { return "<p>\(escaped(title)): there is nothing to draw.</p>" }
    let xTicks = x.ticks(series.flatMap { $0.points.filter { y.canShow($0.y) }.map(\.x) })
    let yTicks = y.ticks(series.flatMap { $0.points.filter { x.canShow($0.x) }.map(\.y) })
    let frame = Frame(x: x, y: y, xTicks: xTicks, yTicks: yTicks)
    let legend = series.enumerated().map { index, series in
      "<li class=\"\(Self.colour(index, series))\"><svg viewBox=\"0 0 26 14\" aria-hidden=\"true\">"
        + Self.key(index, series) + "</svg>\(escaped(series.name))</li>"
    }
    return """
      <figure id="\(id)">
      <h3>\(escaped(title))</h3>
      <svg class="chart" viewBox="0 0 \(Self.number(Self.size.width)) \(Self.number(Self.size.height))" role="img" \
      aria-labelledby="\(id)-title \(id)-about">
      <title id="\(id)-title">\(escaped(title))</title>
      <desc id="\(id)-about">\(escaped(about))</desc>
      \(axes(frame))
      \(series.enumerated().map { drawing($0, $1, frame) }.joined(separator: "\n"))
      </svg>
      <ul class="legend">\(legend.joined())</ul>
      <figcaption>\(escaped(about))</figcaption>
      </figure>
      """
  }

  /// Where values lie in the drawing.
  private struct Frame {
    let x: ChartAxis
    let y: ChartAxis
    let xTicks: [Double]
    let yTicks: [Double]

    func x(_ value: Double) -> Double { place(value, x, xTicks, Chart.plot.left, Chart.plot.right) }
    func y(_ value: Double) -> Double { place(value, y, yTicks, Chart.plot.bottom, Chart.plot.top) }

    func contains(_ point: ChartPoint) -> Bool { x.canShow(point.x) && y.canShow(point.y) }

    private func place(
      _ value: Double, _ axis: ChartAxis, _ ticks: [Double], _ start: Double, _ end: Double
    ) -> Double {
      let (low, high) = (axis.position(ticks.first ?? 0), axis.position(ticks.last ?? 1))
      return start + (axis.position(value) - low) / (high - low) * (end - start)
    }
  }

  private func axes(_ frame: Frame) -> String {
    let plot = Self.plot
    let horizontal = frame.yTicks.map { tick in
      let y = frame.y(tick)
      return "<line class=\"grid\" x1=\"\(Self.number(plot.left))\" x2=\"\(Self.number(plot.right))\" "
        + "y1=\"\(Self.number(y))\" y2=\"\(Self.number(y))\"/>"
        + "<text class=\"tick end\" x=\"\(Self.number(plot.left - 6))\" y=\"\(Self.number(y + 4))\">"
        + "\(escaped(self.y.text(tick)))</text>"
    }
    var used = -Double.infinity
    let vertical = frame.xTicks.map { tick in
      let x = frame.x(tick)
      let text = self.x.text(tick)
      let half = Double(text.count) * Self.characterWidth / 2
      let line =
        "<line class=\"grid\" y1=\"\(Self.number(plot.top))\" y2=\"\(Self.number(plot.bottom))\" "
        + "x1=\"\(Self.number(x))\" x2=\"\(Self.number(x))\"/>"
      let end = min(x + half, Self.size.width)
      // Labels that would run into the one before are left out.
      guard end - 2 * half > used + 4 else { return line }
      used = end
      let anchor = end < x + half ? "end" : "middle"
      let place = anchor == "end" ? end : x
      return line + "<text class=\"tick \(anchor)\" x=\"\(Self.number(place))\" y=\"\(Self.number(plot.bottom + 21))\">"
        + "\(escaped(text))</text>"
    }
    let middle = (plot.top + plot.bottom) / 2
    let labels =
      "<text class=\"label middle\" x=\"\(Self.number((plot.left + plot.right) / 2))\" y=\"333\">\(escaped(x.label))</text>"
      + "<text class=\"label middle\" transform=\"translate(18 \(Self.number(middle))) rotate(-90)\">\(escaped(y.label))</text>"
    return (horizontal + vertical + [labels]).joined(separator: "\n")
  }

  private func drawing(_ index: Int, _ series: ChartSeries, _ frame: Frame) -> String {
    let points = series.points.filter(frame.contains)
    let places = points.map { (x: frame.x($0.x), y: frame.y($0.y)) }
    var parts: [String] = []
    if series.style != .points, places.count > 1 {
      let path = places.map { "\(Self.number($0.x)),\(Self.number($0.y))" }.joined(separator: " ")
      parts.append("<polyline class=\"stroke\" points=\"\(path)\"/>")
    }
    if series.style == .line || series.style == .points {
      for (point, place) in zip(points, places) {
        let label = point.label.map { "\($0): " } ?? ""
        let values = "\(series.name), \(label)\(x.text(point.x)), \(y.text(point.y))"
        parts.append(Self.marker(index, place.x, place.y, title: values))
      }
    }
    return "<g class=\"\(Self.colour(index, series))\">\(parts.joined())</g>"
  }

  private static func colour(_ index: Int, _ series: ChartSeries) -> String {
    series.style == .background ? "background" : "series-\(index % HTMLPage.colours)"
  }

  private static func key(_ index: Int, _ series: ChartSeries) -> String {
    let line = series.style == .points ? "" : "<polyline class=\"stroke\" points=\"1,7 25,7\"/>"
    let hasMarker = series.style == .line || series.style == .points
    return line + (hasMarker ? marker(index, 13, 7, title: nil) : "")
  }

  /// Shapes differ as well as colours.
  private static func marker(_ index: Int, _ x: Double, _ y: Double, title: String?) -> String {
    let title = title.map { "<title>\(escaped($0))</title>" } ?? ""
    func polygon(_ corners: [(Double, Double)]) -> String {
      let points = corners.map { "\(number(x + $0)),\(number(y + $1))" }.joined(separator: " ")
      return "<polygon class=\"mark\" points=\"\(points)\">\(title)</polygon>"
    }
    switch (index + index / HTMLPage.colours) % 4 {
    case 0: return "<circle class=\"mark\" cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"4.5\">\(title)</circle>"
    case 1: return polygon([(-4.2, -4.2), (4.2, -4.2), (4.2, 4.2), (-4.2, 4.2)])
    case 2: return polygon([(0, -5.5), (5.2, 4), (-5.2, 4)])
    default: return polygon([(0, -5.8), (5.8, 0), (0, 5.8), (-5.8, 0)])
    }
  }

  private static func number(_ value: Double) -> String {
    let text = Format.fixed(value, 1)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
