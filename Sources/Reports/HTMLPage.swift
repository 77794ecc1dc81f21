/// A page that needs no other file: style and drawings are inside, nothing is fetched and no script runs.
///
///     var page = HTMLPage(title: "SmolLM2-135M: methods compared")
///     page.add(heading: "Results", [table.html(caption: "…"), chart.html(id: "quality")])
///     page.html
///
/// It is well-formed XML behind its first line, follows the reader's choice of light or dark, and fits a phone.
public struct HTMLPage: Sendable {
  /// Colours that series take in turn.
  static let colours = 8

  private let title: String
  private let facts: [(name: String, value: String)]
  private var sections: [String] = []

  /// - Parameter facts: What the page is about, under its title.
  public init(title: String, facts: [(name: String, value: String)] = []) {
    self.title = title
    self.facts = facts
  }

  /// Adds a section.
  ///
  /// - Parameter parts: HTML of tables and charts, or what ``paragraph(_:)`` makes.
  public mutating func add(heading: String, _ parts: [String]) {
    sections.append(
      "<section>\n<h2>\(escaped(heading))</h2>\n\(parts.joined(separator: "\n"))\n</section>")
  }

  /// Adds a section of charts, side by side where there is room.
  public mutating func add(heading: String, note: String? = nil, charts: [(id: String, chart: Chart)]) {
    let figures = charts.map { $0.chart.html(id: $0.id) }.joined(separator: "\n")
    add(heading: heading, [note.map(Self.paragraph) ?? "", "<div class=\"charts\">\n\(figures)\n</div>"])
  }

  public static func paragraph(_ text: String) -> String { "<p>\(escaped(text))</p>" }

  public var html: String {
    let facts = facts.map { "<dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd>" }.joined(separator: "\n")
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="color-scheme" content="light dark"/>
      <title>\(escaped(title))</title>
      <style>
      \(Self.style)
      </style>
      </head>
      <body>
      <main>
      <h1>\(escaped(title))</h1>
      \(facts.isEmpty ? "" : "<dl>\n\(facts)\n</dl>")
      \(sections.joined(separator: "\n"))
      </main>
      </body>
      </html>

      """
  }

  /// Series' colours have a contrast of 3 or more against both backgrounds' own.
  private static let style = """
    :root { color-scheme: light dark; --paper: #ffffff; --ink: #1a1a1a; --soft: #595959; --line: #d9d9d9;
      --c0: #0b62c4; --c1: #c2410c; --c2: #0f766e; --c3: #7c3aed; --c4: #be185d; --c5: #4d7c0f; --c6: #92400e;
      --c7: #475569; }
    @media (prefers-color-scheme: dark) { :root { --paper: #16181c; --ink: #ececec; --soft: #b0b0b0;
      --line: #3a3d43; --c0: #60a5fa; --c1: #fb923c; --c2: #2dd4bf; --c3: #a78bfa; --c4: #f472b6; --c5: #a3e635;
      --c6: #fbbf24; --c7: #cbd5e1; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--paper); color: var(--ink);
      font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
    main { max-width: 80rem; margin: 0 auto; padding: 1rem; }
    h1 { font-size: 1.6rem; line-height: 1.2; overflow-wrap: anywhere; }
    h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; }
    h3 { font-size: 1rem; margin: 0 0 0.25rem; }
    p, figcaption { max-width: 46rem; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1rem; color: var(--soft); }
    dt { font-weight: 600; }
    dd { margin: 0; overflow-wrap: anywhere; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.8rem; }
    .caption { color: var(--soft); font-size: 0.9rem; }
    th, td { padding: 0.25rem 0.5rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
    tbody th { font-weight: 400; }
    th.number, td.number { text-align: right; }
    .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 2rem; }
    figure { margin: 0; min-width: 0; }
    figcaption { color: var(--soft); font-size: 0.9rem; }
    .chart { display: block; width: 100%; max-width: 40rem; height: auto; }
    .chart text { fill: var(--ink); font-size: 13.5px; }
    @media (max-width: 40rem) { .chart text { font-size: 16px; } }
    .chart .tick { fill: var(--soft); }
    .middle { text-anchor: middle; }
    .end { text-anchor: end; }
    .grid { stroke: var(--line); stroke-width: 1; }
    .stroke { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
    .background .stroke { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 5 4; }
    .mark { fill: var(--c); stroke: var(--paper); stroke-width: 1; }
    .legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; margin: 0.25rem 0; padding: 0; }
    .legend svg { width: 26px; height: 14px; margin-right: 0.35rem; vertical-align: -1px; }
    .series-0 { --c: var(--c0); } .series-1 { --c: var(--c1); } .series-2 { --c: var(--c2); }
    .series-3 { --c: var(--c3); } .series-4 { --c: var(--c4); } .series-5 { --c: var(--c5); }
    .series-6 { --c: var(--c6); } .series-7 { --c: var(--c7); }
    @media print { .scroll { overflow: visible; } }
    """
}
