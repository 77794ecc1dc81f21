import Files
import Foundation
import TestSupport
import Testing

@testable import SparseBundle

struct BundleVerificationTests {
  let folder = TemporaryFolder()

  init() throws { try TinyModel.llama3.open().writeBundle(to: folder.path("bundle"), .f16, [[1, 2, 3]]) }

  @Test func goodBundlePasses() {
    let (checks, bundle) = BundleVerification(path: folder.path("bundle")).run()
    #expect(checks.allSatisfy(\.ok) && bundle != nil)
    #expect(checks.count == 4 + BundleFile.listed.count)
  }

  @Test(arguments: BundleFile.listed)
  func changedByteIsFound(file: String) throws {
    let path = folder.path("bundle/\(file)")
    let good = try bytes(ofFile: path)
    var numbers = RandomNumbers(seed: 1)
    let places = [0, good.count - 1] + (0..<50).map { _ in Int.random(in: good.indices, using: &numbers) }
    for place in places {
      var damaged = good
      damaged[place] ^= UInt8.random(in: 1...255, using: &numbers)
      try writeAtomically(damaged, to: path)
      #expect(!passes, "\(file), byte \(place)")
    }
  }

  /// Each bit of it: its own digest covers it, and is covered by it.
  @Test func everyFlippedBitOfTheManifestIsFound() throws {
    let path = folder.path("bundle/\(BundleFile.manifest)")
    let good = try bytes(ofFile: path)
    for index in good.indices {
      for bit in 0..<8 {
        var damaged = good
        damaged[index] ^= 1 << UInt8(bit)
        try Data(damaged).write(to: URL(filePath: path))
        #expect(throws: (any Error).self, "bit \(bit) of byte \(index)") { try BundleManifest(reading: path) }
      }
    }
    try writeAtomically(good, to: path)
    #expect(passes)
  }

  /// Where its digest was made anew nothing in it is believed, and nothing traps.
  @Test func changedManifestNeverTraps() throws {
    let path = folder.path("bundle/\(BundleFile.manifest)")
    let good = try bytes(ofFile: path)
    var numbers = RandomNumbers(seed: 2)
    var found = 0
    for _ in 0..<100 {
      var damaged = good
      damaged[Int.random(in: good.indices, using: &numbers)] = UInt8.random(in: 32...126, using: &numbers)
      try writeAtomically(resealed(String(decoding: damaged, as: UTF8.self)), to: path)
      found += passes ? 0 : 1
    }
    #expect(found > 50)
  }

  @Test(arguments: BundleFile.listed + [BundleFile.manifest])
  func truncationIsFound(file: String) throws {
    let path = folder.path("bundle/\(file)")
    let good = try bytes(ofFile: path)
    for count in [0, 1, good.count / 2, good.count - 1] {
      try writeAtomically(good.prefix(count), to: path)
      #expect(!passes)
    }
  }

  @Test(arguments: BundleFile.listed + [BundleFile.manifest])
  func missingFileIsFound(file: String) throws {
    try FileManager.default.removeItem(atPath: folder.path("bundle/\(file)"))
    #expect(!passes)
  }

  @Test func surplusFileIsFound() throws {
    try writeAtomically([1], to: folder.path("bundle/extra.bin"))
    #expect(!passes)
  }

  @Test(arguments: [
    (BundleFile.thresholds, BundleFile.golden), (BundleFile.tokenizer, BundleFile.configuration),
    (BundleFile.weights, BundleFile.golden),
  ])
  func swappedFilesAreFound(a: String, b: String) throws {
    let (first, second) = (try bytes(ofFile: folder.path("bundle/\(a)")), try bytes(ofFile: folder.path("bundle/\(b)")))
    try writeAtomically(second, to: folder.path("bundle/\(a)"))
    try writeAtomically(first, to: folder.path("bundle/\(b)"))
    #expect(!passes)
  }

  /// Each is whole by itself, but not what the manifest says.
  @Test(arguments: [BundleFile.weights, BundleFile.thresholds, BundleFile.golden])
  func fileOfAnotherBundleIsFound(file: String) throws {
    try TinyModel.qwen3.open().writeBundle(to: folder.path("other"), .f16, [[1, 2, 3]])
    try writeAtomically(bytes(ofFile: folder.path("other/\(file)")), to: folder.path("bundle/\(file)"))
    #expect(!passes)
  }

  private var passes: Bool { BundleVerification(path: folder.path("bundle")).run().checks.allSatisfy(\.ok) }
}
