/// A table for terminals and logs: columns as wide as their widest cell, numbers to the right.
///
///     var table = TextTable(["method", "perplexity"])
///     table.add(["dense", "17.63"])
///     print(table)
public struct TextTable: Sendable, CustomStringConvertible {
  private let titles: [String]
  private var rows: [[String]] = []

  public init(_ titles: [String]) { self.titles = titles }

  /// Adds a row; missing cells are empty.
  public mutating func add(_ cells: [String]) {
    rows.append(Array(cells.prefix(titles.count)) + [String](repeating: "", count: max(0, titles.count - cells.count)))
  }

  public var description: String {
    let widths = titles.indices.map { column in
      max(titles[column].count, rows.map { $0[column].count }.max() ?? 0)
    }
    let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
    return ([line(titles, widths), rule] + rows.map { line($0, widths) }).joined(separator: "\n")
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    let padded = cells.indices.map { column in
      let space = String(repeating: " ", count: widths[column] - cells[column].count)
      let isNumber = column > 0 && rows.allSatisfy { $0[column].first.map { $0.isNumber || "-–".contains($0) } ?? true }
      return isNumber ? space + cells[column] : cells[column] + space
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
