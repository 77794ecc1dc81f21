import Files
import Foundation

/// Writes a report as JSON, atomically.
func writeReport(_ report: some Encodable, to path: String) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  encoder.keyEncodingStrategy = .convertToSnakeCase
  try writeAtomically(encoder.encode(report), to: path)
}

/// Reads what ``writeReport(_:to:)`` wrote.
func readReport<Report: Decodable>(_ path: String) throws -> Report {
  let file = try FileReader(path: path)
  let decoder = JSONDecoder()
  decoder.keyDecodingStrategy = .convertFromSnakeCase
  return try decoder.decode(Report.self, from: Data(file.read(at: 0, count: file.count)))
}
