import Testing
import Tokenizers

@testable import Checkpoints

@Suite struct GGUFFileTests {
  @Test func headerIsRead() throws {
    let file = try GGUFFile(path: Fixture.path("qwen2.gguf"))

    #expect(file.version == 3)
    #expect(file.alignment == 32)
    #expect(file.keys.first == "general.architecture")
    #expect(file["general.architecture"] == .string("qwen2"))
    #expect(file["qwen2.block_count"] == .unsigned(2))
    #expect(file["qwen2.rope.freq_base"] == .float(50_000))
    #expect(file["tokenizer.ggml.add_bos_token"] == .bool(false))
    #expect(file["tokenizer.ggml.merges"] == .stringArray(["! !"]))
    #expect(file["absent"] == nil)
    #expect(file.tensor(named: "blk.1.ffn_up.weight")?.shape == [64, 32])
    #expect(file.tensor(named: "blk.1.ffn_up.weight")?.encoding == .q5_1)
  }

  @Test func absentTensorIsNamed() throws {
    let file = try GGUFFile(path: Fixture.path("qwen2.gguf"))

    #expect(throws: CheckpointError.missing(path: file.path, item: "tensor 'no.such'")) {
      try file.values(of: "no.such")
    }
  }

  @Test func absentFileIsNamed() {
    #expect(
      message { _ = try GGUFFile(path: "/no/such.gguf") } == "cannot open '/no/such.gguf': No such file or directory")
  }

  @Test(arguments: [
    (GGUFBuilder().magic("GGML"), "does not start with 'GGUF'"),
    (GGUFBuilder().version(1), "GGUF version 1"),
    (GGUFBuilder().version(0x0300_0000), "big-endian"),
    (GGUFBuilder(tensorCount: .max), "18446744073709551615 entries"),
    (GGUFBuilder(keyCount: 1 << 60), "the metadata is said to have"),
    (GGUFBuilder().key("a", string: "x").key("a", string: "y"), "key 'a' occurs twice"),
    (GGUFBuilder().key("a", string: "x", claimedLength: 1 << 62), "the value of 'a' is said to have"),
    (GGUFBuilder().key("a", type: 77), "unknown type 77"),
    (GGUFBuilder().key("a", array: 8, count: 1 << 40), "1099511627776 entries"),
    (GGUFBuilder().key("a", array: 9, count: 0), "an array of arrays"),
    (GGUFBuilder().alignment(24), "not a power of two"),
    (GGUFBuilder().alignment(0), "not a power of two"),
    (GGUFBuilder().tensor("t", [], type: 0, at: 0), "0 dimensions"),
    (GGUFBuilder().tensor("t", [1, 1, 1, 1, 1], type: 0, at: 0), "5 dimensions"),
    (GGUFBuilder().tensor("t", [0], type: 0, at: 0), "dimension of 0"),
    (GGUFBuilder().tensor("t", [1 << 63], type: 0, at: 0), "dimension of 9223372036854775808"),
    (GGUFBuilder().tensor("t", [1 << 40, 1 << 40], type: 0, at: 0), "dimension of"),
    (GGUFBuilder().tensor("t", [1 << 62], type: 0, at: 0), "does not fill blocks"),
    (GGUFBuilder().tensor("t", [40], type: 3, at: 0), "does not fill blocks of 32"),
    (
      GGUFBuilder().tensor("t", [32], type: 23, at: 0), "tensor 't' of ggml type 23, which is not supported; known: F32"
    ),
    (GGUFBuilder().tensor("t", [4], type: 0, at: 5), "no multiple of 32"),
    (GGUFBuilder().tensor("t", [4], type: 0, at: 0xFFFF_FFFF_FFFF_FFE0), "no multiple of 32"),
    (GGUFBuilder().tensor("t", [4], type: 0, at: 0x7FFF_FFFF_FFFF_FFE0), "starts at|the file has only"),
    (GGUFBuilder(dataSize: 15).tensor("t", [4], type: 0, at: 0), "the file has only 15"),
    (GGUFBuilder().tensor("t", [4], type: 0, at: 0).tensor("t", [4], type: 0, at: 32), "occurs twice"),
    (GGUFBuilder().tensor("t", [16], type: 0, at: 0).tensor("u", [4], type: 0, at: 32), "'t' and 'u' overlap"),
  ])
  func damageIsExplained(file: GGUFBuilder, problem: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(file.bytes)

    let message = try #require(message { _ = try GGUFFile(path: path) })

    #expect(problem.split(separator: "|").contains { message.contains($0) }, "\(message)")
    #expect(message.contains(path))
  }

  @Test func alignmentMovesTheData() throws {
    let folder = try TemporaryFolder()
    let builder = GGUFBuilder().alignment(128).tensor("t", [1, 4], type: 0, at: 128)
    let file = try GGUFFile(path: folder.write(builder.bytes))

    #expect(file.tensors.map(\.byteRange) == [256..<272])
    #expect(file.tensors.map(\.shape) == [[4, 1]])
  }
}
