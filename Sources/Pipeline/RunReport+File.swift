import Files
import Foundation

extension RunReport {
  /// Writes the report, atomically.
  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    try writeAtomically(encoder.encode(self), to: path)
  }

  init(reading path: String) throws {
    let file = try FileReader(path: path)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    self = try decoder.decode(Self.self, from: Data(file.read(at: 0, count: file.count)))
  }
}
