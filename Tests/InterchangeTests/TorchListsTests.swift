import Foundation
import TestSupport
import Testing

@testable import Interchange

struct TorchListsTests {
  /// What `make_chess_dictionary.py` put into each of its files.
  private static let expected: [(name: String, tensors: [[Float]])] = [
    ("attention_inputs_thresholds", [[0.5], [0.25]]), ("attention_outputs_thresholds", [[0.125], [0.0625]]),
    ("gate_proj_states_thresholds_cats", [[0.75], [1.5]]),
    ("gate_proj_states_thresholds_chess", [[0, 1.25, 0.375, .infinity], [3, 0.875, 0.01171875, 96]]),
  ]

  @Test(arguments: ["bfloat16", "float16", "float32", "views"])
  func filesOfTorchAreRead(_ name: String) throws {
    #expect(try TorchLists(decoding: Self.fixture("chess-\(name).pt")) == TorchLists(Self.expected))
  }

  @Test func whatIsWrittenIsRead() throws {
    let lists = TorchLists([("a", [[1, .infinity], [0.1]]), ("none", []), ("β", [[3]])])
    #expect(try TorchLists(decoding: lists.encoded()) == lists)
  }

  @Test func storagesStartAtMultiplesOf64Bytes() throws {
    let marker: [UInt8] = Array("Zthresholds".utf8)
    let bytes = TorchLists([("a", [[1, 2], [3]])]).encoded()
    let one: [UInt8] = [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40]
    let start = try #require(bytes.indices.first { bytes[$0...].starts(with: one) })
    #expect(start.isMultiple(of: 64) && !bytes.starts(with: marker))
  }

  @Test func modulesAreRefused() throws {
    #expect(throws: TorchError.self) { try TorchLists(decoding: Self.fixture("module.pt")) }
  }

  @Test func noPrefixIsTakenForTheWhole() throws {
    let file = try Self.fixture("chess-bfloat16.pt")
    for end in 0..<file.count { #expect(throws: TorchError.self) { try TorchLists(decoding: Array(file[..<end])) } }
  }

  /// Checksums find what changes values; what is left are bytes that no reader looks at.
  @Test func noFlippedBitChangesValues() throws {
    let file = try Self.fixture("chess-float32.pt")
    for bit in 0..<8 * file.count {
      var flipped = file
      flipped[bit / 8] ^= 1 << (bit % 8)
      guard let read = try? TorchLists(decoding: flipped) else { continue }
      #expect(read == TorchLists(Self.expected), "bit \(bit)")
    }
  }

  @Test(arguments: [
    // A tuple within a tuple, and so on; a list that is put into itself; a call that would run code.
    ")" + String(repeating: "\u{85}", count: 100_000) + ".", "]q\0h\0ah\0a",
    "cos\nsystem\nX\u{2}\0\0\0ls\u{85}R.", "((((.", "e.", "h\t", "\u{80}\u{2}", "",
  ])
  func hostilePicklesAreRefused(_ latin1: String) throws {
    var archive = ZipWriter()
    archive.add("archive/data.pkl", latin1.unicodeScalars.map { UInt8($0.value) })
    #expect(throws: TorchError.self) { try TorchLists(decoding: archive.finished()) }
  }

  @Test(arguments: [
    ("]" + String(repeating: "Na", count: 1025) + ".", "a container of 1025 entries"),
    (String(repeating: "N", count: 1 << 20) + ".", "a pickle of 1048577 bytes"),
  ])
  func picklesAreBounded(_ pickle: String, _ what: String) throws {
    var reader = PickleReader(Array(pickle.utf8)[...])
    #expect(throws: TorchError.unsupported(what)) { try reader.read() }
  }

  @Test func containersOfAllowedSizeAreRead() throws {
    var reader = PickleReader(Array(("]" + String(repeating: "Na", count: 1024) + ".").utf8)[...])
    #expect(try reader.read() == .list([PickleValue](repeating: .none, count: 1024)))
  }

  /// PyTorch would take the last one.
  @Test func namesThatStandTwiceAreRefused() throws {
    let lists = TorchLists([("a", [[1]]), ("a", [[2]])])
    #expect(throws: TorchError.unsupported("\"a\" twice")) { try TorchLists(decoding: lists.encoded()) }
  }

  @Test func namesDoNotReachTerminalsAsTheyAre() throws {
    var archive = ZipWriter()
    archive.add("a/data.pkl", Array("cos\u{1b}]0;title\u{7}\nsystem\n)R.".utf8))
    #expect { try TorchLists(decoding: archive.finished()) } throws: { error in
      !"\(error)".unicodeScalars.contains { $0.properties.generalCategory == .control }
    }
  }

  @Test func viewsDoNotMultiplyAStorage() throws {
    let tensor =
      "ctorch._utils\n_rebuild_tensor_v2\n((X\u{7}\0\0\0storagectorch\nFloatStorage\nX\u{1}\0\0\0sX\u{3}\0\0\0cpuJ\0\u{10}\0\0tQJ\0\0\0\0J\0\u{10}\0\0\u{85}K\u{1}\u{85}\u{89}tR"
    func file(views: Int) -> [UInt8] {
      var archive = ZipWriter()
      let pickle = "}(X\u{1}\0\0\0a](" + String(repeating: tensor, count: views) + "eu."
      archive.add("a/data.pkl", pickle.unicodeScalars.map { UInt8($0.value) })
      archive.add("a/data/s", [UInt8](repeating: 0, count: 4 * 4096))
      return archive.finished()
    }
    #expect(try TorchLists(decoding: file(views: 1))["a"]?.first?.count == 4096)
    #expect(throws: TorchError.self) { try TorchLists(decoding: file(views: 100)) }
  }

  static func fixture(_ name: String) throws -> [UInt8] {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: nil))
    return Array(try Data(contentsOf: url))
  }
}
