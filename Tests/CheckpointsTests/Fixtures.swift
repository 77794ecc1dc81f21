import Foundation
import LinearAlgebra
import Testing

@testable import Checkpoints

/// Paths of files that `Fixtures/make_fixtures.py` made.
enum Fixture {
  static func path(_ name: String) -> String { Bundle.module.bundlePath + "/Fixtures/" + name }

  static func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path(name)))) }

  /// The values that another implementation read from a fixture, by Hugging Face's names.
  static func expected(_ name: String) throws -> SafetensorsFile { try SafetensorsFile(path: path(name)) }
}

/// A folder that is removed at the end of the test.
final class TemporaryFolder {
  let path = NSTemporaryDirectory() + "/gambit-checkpoints-" + UUID().uuidString

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult
  func write(_ bytes: [UInt8], _ name: String = "file") throws -> String {
    let file = "\(path)/\(name)"
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  func write(_ text: String, _ name: String) throws -> String { try write(Array(text.utf8), name) }

  /// Copies a fixture directory into the folder.
  func copy(_ fixture: String) throws -> String {
    let target = "\(path)/\(fixture)"
    try FileManager.default.copyItem(atPath: Fixture.path(fixture), toPath: target)
    return target
  }
}

/// The description of the error that `body` throws; `nil` where it throws none.
func message(_ body: () throws -> Void) -> String? {
  do { try body() } catch { return "\(error)" }
  return nil
}

/// A small generator with a seed (SplitMix64), so that random damage is the same in each run.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
