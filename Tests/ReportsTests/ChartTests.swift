import Foundation
import Testing

@testable import Reports

#if canImport(FoundationXML)
  import FoundationXML
#endif

struct ChartTests {
  private func chart(_ x: ChartAxis, _ y: ChartAxis, _ points: [(Double, Double)]) -> Chart {
    Chart(
      "A < B", about: "one & two", x: x, y: y,
      series: [ChartSeries("\"s\"", points.map { ChartPoint($0, $1, label: "<p>") })])
  }

  @Test(arguments: [
    (0.0, 1.0, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0, 29, [0, 10, 20, 30]), (3, 3, [3, 3.5, 4]),
    (-2, 7, [-2, 0, 2, 4, 6, 8]),
  ])
  func linearTicksAreRoundAndEncloseValues(low: Double, high: Double, ticks: [Double]) {
    let found = ChartAxis("x").ticks([low, high])
    #expect(found.count >= 2 && found.first ?? 0 <= low && found.last ?? 0 >= high)
    #expect(found.count <= 8)
    if low != high { #expect(zip(found, ticks).allSatisfy { abs($0 - $1) < 1e-9 } && found.count == ticks.count) }
  }

  @Test(arguments: [(0.03, 0.7), (1e-9, 1e3), (250e6, 540e6), (1, 1)])
  func logarithmicTicksEncloseValues(low: Double, high: Double) {
    let ticks = ChartAxis("x", .logarithmic).ticks([low, high, 0, -1, .nan, .infinity])
    #expect(ticks.count >= 2 && ticks.count <= 12)
    #expect(ticks.first ?? 1 <= low * 1.00001 && ticks.last ?? 0 >= high * 0.99999)
    #expect(ticks == ticks.sorted())
  }

  @Test func pointsLieWhereTheirValuesAre() throws {
    let html = chart(ChartAxis("x", including: [0, 10]), ChartAxis("y", .logarithmic, including: [0.1, 10]), [(5, 1)])
      .html(id: "c")
    // The plot reaches from 78 to 508 and from 284 up to 14: both values are in the middle.
    #expect(html.contains("cx=\"293\" cy=\"149\""))
  }

  @Test func valuesThatAnAxisCannotShowAreLeftOut() {
    let y = ChartAxis("y", .logarithmic)
    let html = chart(ChartAxis("x"), y, [(1, 0), (2, 1), (3, .nan), (4, 10)]).html(id: "c")
    #expect(html.components(separatedBy: "<circle class=\"mark\" cx").count - 1 == 3)  // two, and the legend's
    #expect(!html.contains("nan") && !html.contains("inf"))
    #expect(chart(ChartAxis("x"), y, [(1, 0)]).html(id: "c").contains("nothing to draw"))
  }

  @Test func pageIsWellFormedAndRefersToNothing() throws {
    var table = TextTable(["row <1>", "KL"])
    table.add(["a & b", "1.0"], bold: [1])
    var page = HTMLPage(title: "T & t", facts: [("<f>", "\u{1}v")])
    page.add(heading: "H", [table.html(caption: "\"c\"")])
    page.add(heading: "I", charts: [("one", chart(ChartAxis("x"), ChartAxis("y"), [(1, 2), (3, 4)]))])
    let body = page.html.split(separator: "\n", maxSplits: 1)[1]

    let parser = XMLParser(data: Data(body.utf8))
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    for word in ["http", "url(", "@import", "src=", "href=", "<script"] { #expect(!page.html.contains(word)) }
    #expect(page.html.contains("<strong>1.0</strong>"))
  }

  @Test func boldCellsAreMarkedWhereTheyCanBe() {
    var table = TextTable(["method", "KL"])
    table.add(["cats|x", "0.28"])
    table.add(["chess", "0.17"], bold: [1])
    #expect(table.text(bold: true).hasSuffix("chess   \u{1B}[1m0.17\u{1B}[0m"))
    #expect(!table.description.contains("\u{1B}"))
    #expect(table.markdown == "| method | KL |\n|---|---:|\n| cats\\|x | 0.28 |\n| chess | **0.17** |\n")
  }
}
