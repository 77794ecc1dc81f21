import Foundation
import Testing

@testable import Corpus

struct DocumentReaderTests {
  let folder = TemporaryFolder()

  private func texts(_ patterns: [String], field: String = "text") throws -> [String] {
    let reader = try DocumentReader(patterns: patterns, field: field)
    var texts: [String] = []
    while let document = try reader.next() { texts.append(document.text) }
    return texts
  }

  @Test func linesArePlainZstandardOrGzip() throws {
    let expected = try Expected.load()
    #expect(try texts([fixture("text/first.jsonl")]) == expected.first)
    #expect(try texts([fixture("text/second.jsonl.zst")], field: "content") == expected.second)
    #expect(try texts([fixture("text/third.jsonl.gz")], field: "content") == expected.third)
  }

  @Test func textFilesAreDocuments() throws {
    #expect(try texts([fixture("text/notes/**/*.*")]) == Expected.load().notes)
  }

  @Test func filesComeInTheOrderOfPatternsEachOnce() throws {
    for name in ["b.txt", "a.txt", "c.txt"] { try folder.file(name, name.utf8) }
    #expect(try texts(["\(folder.root)/c.txt", "\(folder.root)/*.txt"]) == ["c.txt", "a.txt", "b.txt"])
  }

  @Test func documentsKnowTheirLine() throws {
    let path = try folder.file("a.jsonl", "\n{\"text\": \"x\"}\n\n{\"text\": \"y\"}".utf8)
    let reader = try DocumentReader(patterns: [path])
    #expect(try reader.next() == Document(text: "x", path: path, line: 2))
    #expect(try reader.next() == Document(text: "y", path: path, line: 4))
    #expect(try reader.next() == nil)
    #expect(try reader.next() == nil)
  }

  @Test(arguments: [
    ("{\"text\": \"cut", "is not valid JSON: it may be cut off, or the file may be of another format"),
    ("[1]", "is not a JSON object"), ("7", "is not a JSON object"),
    ("{\"content\": \"x\"}", "has no field 'text'"),
    ("{\"text\": 5}", "has no text in its field 'text'"), ("{\"text\": null}", "has no text in its field 'text'"),
    (
      String(repeating: "[", count: 100_000),
      "is not valid JSON: it may be cut off, or the file may be of another format"
    ),
  ])
  func badLineIsNamed(line: String, reason: String) throws {
    let path = try folder.file("bad.jsonl", "{\"text\": \"good\"}\n\(line)\n".utf8)
    let reader = try DocumentReader(patterns: [path])
    _ = try reader.next()
    #expect(throws: CorpusError.badLine(path: path, line: 2, reason: reason)) { try reader.next() }
  }

  @Test func invalidBytesInALineAreReplaced() throws {
    let path = try folder.file("a.jsonl", Array("{\"text\": \"a".utf8) + [0xff] + Array("b\"}".utf8))
    #expect(try texts([path]) == ["a\u{fffd}b"])
  }

  @Test func filesOfOtherKindsAreErrors() throws {
    let pdf = try folder.file("a.pdf", "x".utf8)
    #expect(throws: CorpusError.unknownFormat(path: pdf)) { try texts([pdf]) }
    #expect(throws: CorpusError.noFiles(pattern: "/nowhere/*.txt")) { try texts(["/nowhere/*.txt"]) }
    #expect(throws: CorpusError.noFiles(pattern: "/nowhere/a.txt")) { try texts(["/nowhere/a.txt"]) }
    for name in ["a.txt.zst", "a.txt.gz"] {
      let path = try folder.file(name, "not packed".utf8)
      let error = #expect(throws: CorpusError.self) { try texts([path]) }
      #expect(error.map { "\($0)".hasPrefix("cannot unpack '\(path)': ") } == true)
    }
  }

  @Test func truncatedArchiveIsAnError() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: fixture("text/second.jsonl.zst")))
    let path = try folder.file("cut.jsonl.zst", whole.dropLast(5))
    #expect(throws: CorpusError.self) { try texts([path], field: "content") }
  }
}

struct GlobTests {
  let folder = TemporaryFolder()

  @Test(arguments: [
    ("*.txt", ["[x].txt", "a.txt", "b.txt"]), ("?.txt", ["a.txt", "b.txt"]), ("[*].txt", ["[x].txt"]),
    ("[x].txt", ["[x].txt"]),
    ("*/*.txt", ["one/c.txt"]), ("**/*.txt", ["[x].txt", "a.txt", "b.txt", "one/c.txt", "one/two/d.txt"]),
    ("one/**/d.txt", ["one/two/d.txt"]), ("**/two/*", ["one/two/d.txt"]),
    ("**", ["[x].txt", "a.txt", "b.txt", "one/c.txt", "one/two/d.txt"]), ("o*", []), ("x*", []),
  ])
  func patterns(pattern: String, expected: [String]) throws {
    for name in ["a.txt", "b.txt", ".hidden.txt", "[x].txt", "one/c.txt", "one/two/d.txt"] {
      try folder.file(name, [])
    }
    let found = (try? Glob.expand("\(folder.root)/\(pattern)")) ?? []
    #expect(found.map { String($0.dropFirst(folder.root.count + 1)) } == expected)
  }

  @Test(arguments: [
    ("", "", true), ("", "*", true), ("a", "", false), ("abc", "a*c", true), ("abcbd", "a*b?", true),
    ("abc", "a*b", false), ("aXbXc", "a*X*c", true), ("é", "?", true), ("aaa", "*a*a*a*", true),
    ("aa", "*a*a*a*", false),
  ])
  func names(name: String, pattern: String, expected: Bool) {
    #expect(Glob.matches(name, pattern) == expected)
  }
}
