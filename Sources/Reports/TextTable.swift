/// A table for terminals, logs and documents: columns as wide as their widest cell, numbers to the right.
///
///     var table = TextTable(["method", "perplexity"])
///     table.add(["dense", "17.63"])
///     print(table)
///
/// ``markdown`` and ``html`` are the same table for documents; cells that were added as bold are bold there, and in
/// ``text(bold:)`` for a terminal that can show it.
public struct TextTable: Sendable, CustomStringConvertible {
  let titles: [String]
  private(set) var rows: [[String]] = []
  private(set) var boldColumns: [Set<Int>] = []

  public init(_ titles: [String]) { self.titles = titles }

  /// Adds a row; missing cells are empty.
  public mutating func add(_ cells: [String], bold: Set<Int> = []) {
    rows.append(Array(cells.prefix(titles.count)) + [String](repeating: "", count: max(0, titles.count - cells.count)))
    boldColumns.append(bold)
  }

  public var description: String { text(bold: false) }

  /// - Parameter bold: Mark bold cells with a terminal's escape sequences.
  public func text(bold: Bool) -> String {
    let widths = titles.indices.map { column in
      max(titles[column].count, rows.map { $0[column].count }.max() ?? 0)
    }
    let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
    let lines = zip(rows, boldColumns).map { line($0, widths, bold: bold ? $1 : []) }
    return ([line(titles, widths, bold: []), rule] + lines).joined(separator: "\n")
  }

  /// Whether a column is of numbers: every one but the first whose cells begin like one.
  func isNumeric(_ column: Int) -> Bool {
    column > 0 && rows.allSatisfy { $0[column].first.map { $0.isNumber || "-–".contains($0) } ?? true }
  }

  private func line(_ cells: [String], _ widths: [Int], bold: Set<Int>) -> String {
    let padded = cells.indices.map { column in
      let space = String(repeating: " ", count: widths[column] - cells[column].count)
      let cell = bold.contains(column) ? "\u{1B}[1m\(cells[column])\u{1B}[0m" : cells[column]
      return isNumeric(column) ? space + cell : cell + space
    }
    return padded.joined(separator: "  ").trimmingSuffix(while: { $0 == " " })
  }
}

extension String {
  fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
    var end = endIndex
    while end > startIndex, predicate(self[index(before: end)]) { end = index(before: end) }
    return String(self[..<end])
  }
}
