extension TextTable {
  /// The table in Markdown's pipe syntax, with a line break at its end.
  public var markdown: String {
    func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }
    func escaped(_ cell: String) -> String { cell.map { $0 == "|" ? "\\|" : String($0) }.joined() }
    let rules = titles.indices.map { isNumeric($0) ? "---:" : "---" }
    let lines = zip(rows, boldColumns).map { cells, bold in
      line(cells.indices.map { bold.contains($0) ? "**\(escaped(cells[$0]))**" : escaped(cells[$0]) })
    }
    return line(titles.map(escaped)) + "|" + rules.joined(separator: "|") + "|\n" + lines.joined()
  }

  /// The table in a box of its own that scrolls where the screen is narrower.
  ///
  /// - Parameter caption: What the table says, for those who cannot see it at a glance.
  public func html(caption: String) -> String {
    let head = titles.indices.map { column in
      "<th scope=\"col\"\(alignment(column))>\(escaped(titles[column]))</th>"
    }
    let body = zip(rows, boldColumns).map { cells, bold in
      let cells = cells.indices.map { column in
        let text = escaped(cells[column])
        let content = bold.contains(column) ? "<strong>\(text)</strong>" : text
        return column == 0
          ? "<th scope=\"row\">\(content)</th>" : "<td\(alignment(column))>\(content)</td>"
      }
      return "<tr>\(cells.joined())</tr>"
    }
    return """
      <p class="caption">\(escaped(caption))</p>
      <div class="scroll" role="region" tabindex="0" aria-label="\(escaped(caption))"><table>
      <thead><tr>\(head.joined())</tr></thead>
      <tbody>
      \(body.joined(separator: "\n"))
      </tbody></table></div>
      """
  }

  private func alignment(_ column: Int) -> String { isNumeric(column) ? " class=\"number\"" : "" }
}

/// Text as it stands in XML and HTML, in an attribute too.
func escaped(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    // Other control characters are no characters of XML at all.
    case _ where scalar.value < 0x20 && !"\t\n\r".unicodeScalars.contains(scalar): result += " "
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
