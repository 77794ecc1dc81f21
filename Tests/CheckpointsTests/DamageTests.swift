import Testing

@testable import Checkpoints

/// Whatever is done to a file, opening and reading it succeeds or throws; it never traps.
@Suite struct DamageTests {
  @Test(arguments: ["llama.gguf", "qwen3.gguf"])
  func truncatedGGUFIsAnError(name: String) throws {
    let bytes = try Fixture.bytes(name)
    let folder = try TemporaryFolder()
    let ranges = try GGUFFile(path: Fixture.path(name)).tensors.map(\.byteRange)
    let headerSize = try #require(ranges.map(\.lowerBound).min())
    let end = try #require(ranges.map(\.upperBound).max())

    for length in Array(0...headerSize) + stride(from: headerSize, to: end, by: 997) + [end - 1] {
      let path = try folder.write(Array(bytes[..<length]))
      // The checkpoint itself would fill pages where the expectation fails.
      #expect(throws: CheckpointError.self, "\(length) bytes") { _ = try Checkpoint.open(path) }
    }
  }

  @Test(arguments: ["llama.gguf", "qwen2.gguf"])
  func flippedBitsInGGUFDoNotTrap(name: String) throws {
    let bytes = try Fixture.bytes(name)
    let folder = try TemporaryFolder()
    let headerSize = try #require(GGUFFile(path: Fixture.path(name)).tensors.map(\.byteRange.lowerBound).min())
    var generator = SeededGenerator(state: 1)

    for _ in 0..<1500 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        damaged[Int.random(in: 0..<headerSize, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      }
      let path = try folder.write(damaged)
      expectNoTrap(path)
    }
  }

  @Test func truncatedSafetensorsIsAnError() throws {
    let bytes = try Fixture.bytes("rope.safetensors")
    let folder = try TemporaryFolder()

    for length in 0..<bytes.count {
      let path = try folder.write(Array(bytes[..<length]))
      #expect(throws: CheckpointError.self) { try SafetensorsFile(path: path) }
    }
  }

  @Test func flippedBitsInSafetensorsDoNotTrap() throws {
    let bytes = try Fixture.bytes("rope.safetensors")
    let folder = try TemporaryFolder()
    var generator = SeededGenerator(state: 2)

    for _ in 0..<3000 {
      var damaged = bytes
      let position = Int.random(in: 0..<bytes.count, using: &generator)
      damaged[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      let path = try folder.write(damaged)
      do throws(CheckpointError) {
        let file = try SafetensorsFile(path: path)
        for tensor in file.header.tensors { _ = try file.values(of: tensor.name) }
      } catch {
        #expect(!error.description.isEmpty)
      }
    }
  }

  private func expectNoTrap(_ path: String) {
    do {
      let checkpoint = try Checkpoint.open(path)
      for layer in 0..<checkpoint.configuration.layerCount { _ = try checkpoint.weights.layer(layer) }
      _ = try checkpoint.weights.outputHead()
      _ = try checkpoint.weights.finalNorm()
      _ = try checkpoint.tokenizer
    } catch {
      #expect("\(error)".contains(path))
    }
  }
}
