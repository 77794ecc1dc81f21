import Files
import Foundation
import SparseBundle
import TestSupport
import Testing

@Suite struct WeightCacheTests {
  let folder = TemporaryFolder()

  @Test func secondOpeningMapsWhatTheFirstUnpacked() throws {
    let (bundle, cache) = (try bundle(.f32), cache())
    #expect(try !cache.holds(bundle))
    var calls = 0
    _ = try cache.weights(of: bundle) { _ in calls += 1 }
    #expect(try cache.holds(bundle) && calls > 0)
    calls = 0
    _ = try cache.weights(of: bundle) { _ in calls += 1 }
    #expect(calls == 0)
    let entry = try #require(cache.entries().first)
    #expect(try entry.bytes == bundle.manifest.weights.bytes && entry.hashMatches())
    #expect(entry.model == bundle.manifest.model.name && entry.type == .f32)
  }

  /// A flipped byte shows by the file's time of change, then by its hash.
  @Test func damagedEntryIsUnpackedAgain() throws {
    let (bundle, cache) = (try bundle(.f16), cache())
    _ = try cache.weights(of: bundle)
    let path = folder.path("cache/" + (try #require(cache.entries().first).key) + ".safetensors")
    var damaged = try bytes(ofFile: path)
    let original = damaged
    damaged[damaged.count / 2] ^= 1
    try Data(damaged).write(to: URL(filePath: path))
    #expect(try !cache.holds(bundle))
    _ = try cache.weights(of: bundle)
    #expect(try bytes(ofFile: path) == original)
  }

  @Test func touchedButIntactEntryIsKept() throws {
    let (bundle, cache) = (try bundle(.f16), cache())
    _ = try cache.weights(of: bundle)
    let path = folder.path("cache/" + (try #require(cache.entries().first).key) + ".safetensors")
    try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: path)
    #expect(try cache.holds(bundle))
  }

  @Test func packedWeightsThatAreNotTheManifestsAreRefused() throws {
    let bundle = try bundle(.f32)
    let path = folder.path("bundle-f32/weights.safetensors.zst")
    var damaged = try bytes(ofFile: path)
    damaged[damaged.count / 3] ^= 8
    try Data(damaged).write(to: URL(filePath: path))
    #expect(throws: BundleError.self) { try cache().weights(of: bundle) }
    #expect(try cache().entries().isEmpty)
  }

  @Test func whatWasNotUsedForLongestMakesRoom() throws {
    let (first, second, third) = (try bundle(.f32), try bundle(.f16), try bundle(.bf16))
    let all = cache()
    _ = try all.weights(of: first)
    Thread.sleep(forTimeInterval: 0.02)
    _ = try all.weights(of: second)
    Thread.sleep(forTimeInterval: 0.02)
    _ = try all.weights(of: first)  // used again: the second is now the oldest
    let small = cache(limit: first.manifest.weights.bytes + third.manifest.weights.bytes)
    _ = try small.weights(of: third)
    #expect(try small.holds(first) && !small.holds(second) && small.holds(third))
  }

  @Test(arguments: [nil, 10])
  func weightsThatMayNotBeKeptAreHeldInMemory(limit: Int?) throws {
    let bundle = try bundle(.f32)
    let cache = WeightCache(directory: limit == nil ? nil : folder.path("cache"), limit: limit ?? 1 << 40)
    _ = try cache.weights(of: bundle)
    #expect(try !cache.holds(bundle) && cache.entries().isEmpty)
  }

  @Test func environmentChooses() {
    #expect(WeightCache.standard(["GAMBIT_CACHE": "off"]).directory == nil)
    #expect(WeightCache.standard(["GAMBIT_CACHE": "/a"]).directory == "/a")
    #expect(WeightCache.standard(["GAMBIT_CACHE_LIMIT": "7"]).limit == 7)
    #expect(WeightCache.standard([:]).directory?.hasSuffix("/gambit") == true)
  }

  private func cache(limit: Int = 1 << 40) -> WeightCache { WeightCache(directory: folder.path("cache"), limit: limit) }

  private func bundle(_ type: WeightType) throws -> ModelBundle {
    let path = folder.path("bundle-\(type.rawValue)")
    try TinyModel.llama.open().writeBundle(to: path, type, [[1, 2]])
    return try ModelBundle(path: path)
  }
}
