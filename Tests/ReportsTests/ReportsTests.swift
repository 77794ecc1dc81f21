import Testing

@testable import Reports

struct ReportsTests {
  @Test func columnsAreAsWideAsTheirWidestCellAndNumbersStandRight() {
    var table = TextTable(["method", "KL", "note"])
    table.add(["cats", "0.28", "a"])
    table.add(["chess-rms", "–"])
    let expected = """
      method       KL  note
      ─────────  ────  ────
      cats       0.28  a
      chess-rms     –
      """
    #expect(table.description == expected)
  }

  @Test(arguments: [(0, "0.00"), (9.87, "9.87"), (54.32, "54.3"), (999, "999"), (12_345, "12.3k"), (1.35e8, "135M")])
  func quantitiesHaveThreeDigits(value: Double, text: String) { #expect(Format.quantity(value) == text) }

  @Test(arguments: [(0.5, "0.5 s"), (48, "48 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (.infinity, "–")])
  func durationsAreInTheirOwnUnits(seconds: Double, text: String) { #expect(Format.duration(seconds) == text) }

  @Test(arguments: [(12, "12 B"), (249_000_000, "249.0 MB")])
  func bytesAreInPowersOfTen(count: Int, text: String) { #expect(Format.bytes(count) == text) }

  @Test func taskHandsOnResultAndError() throws {
    struct Failure: Error {}
    let console = Console(quiet: true)
    #expect(
      try console.task("a", total: 2, unit: "b") {
        $0.advance(by: 1)
        return 3
      } == 3)
    #expect(throws: Failure.self) { try console.task("a", total: 2, unit: "b") { _ in throw Failure() } }
  }
}
