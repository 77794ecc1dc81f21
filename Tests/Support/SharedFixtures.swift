import Checkpoints
import Foundation
import SparseBundle

/// The files of `Tests/Fixtures`, which Python scripts beside them wrote.
public enum SharedFixtures {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures").path

  public static func path(_ name: String) -> String { "\(folder)/\(name)" }

  public static func safetensors(_ name: String) throws -> SafetensorsFile {
    try SafetensorsFile(path: path(name))
  }
}

/// The tiny random models, each with what `transformers` computes with it.
public enum TinyModel: String, CaseIterable, Sendable {
  case llama, llama3, qwen2, qwen3, gemma3

  public var folder: String { SharedFixtures.path("models/\(rawValue)") }

  public func open() throws -> Checkpoint { try Checkpoint.open(folder) }

  /// Its weights in two planes.
  public func inPlanes(_ format: PlaneFormat = .int8) throws -> any WeightSource {
    PlaneWeights(try open().weights, format)
  }

  /// Token sequences and, for each, the float32 logits after every position, `[positions, vocabulary]`.
  public func oracle() throws -> (sequences: [[Int32]], logits: [[Float]]) {
    let file = try SharedFixtures.safetensors("models/\(rawValue)/oracle.safetensors")
    return (
      try file.integers(of: "ids").split(into: file.rows(of: "ids")),
      try file.values(of: "logits").split(into: file.rows(of: "logits"))
    )
  }
}

extension SafetensorsFile {
  /// A tensor of 64-bit floats; empty where there is none.
  public func doubles(of name: String) -> [Double] {
    withBytes(of: name) { bytes in
      (0..<bytes.count / 8).map {
        Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)))
      }
    } ?? []
  }

  /// The extent of a tensor's first dimension; 0 where there is none.
  public func rows(of name: String) -> Int { header.tensor(named: name)?.shape.first ?? 0 }
}

extension Array {
  /// `parts` equally long pieces.
  public func split(into parts: Int) -> [[Element]] {
    guard parts > 0 else { return [] }
    let size = count / parts
    return (0..<parts).map { Array(self[$0 * size..<($0 + 1) * size]) }
  }
}
