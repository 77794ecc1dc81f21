import Files
import Foundation
import TestSupport
import Testing

@testable import SparseBundle

struct ManifestTests {
  let folder = TemporaryFolder()

  @Test(arguments: WeightType.allCases)
  func manifestSaysWhatTheTypeCosts(_ type: WeightType) throws {
    let model = try TinyModel.llama.open()
    try model.writeBundle(to: folder.path("bundle"), type, [[1, 2]])
    let manifest = try ModelBundle(path: folder.path("bundle")).manifest
    let (weights, loss) = (manifest.weights, model.someLoss(type))
    #expect(weights.kl == loss?.kl ?? 0 && weights.activationRoundingKl == loss?.activationRoundingKL)
    #expect(weights.measuredOn?.tokens == loss?.tokens && weights.measuredOn?.text == loss?.text)
    #expect(weights.activations == .exact)
    #expect(manifest.sparsification.prefill == .dense)
    // The tiny llama is bf16: most of its values are f16's, too, and few a multiple of a scale.
    switch type {
    case .f32, .bf16: #expect(weights.exactShare == 1)
    case .f16, .f16Planes: #expect(weights.exactShare > 0.9)
    case .int8, .q4, .int8Planes: #expect((0..<0.5).contains(weights.exactShare))
    }
  }

  @Test(arguments: [(0.25, 0.0249, true), (0.25, 0.025, false), (0, 0, false), (0, 0.1, false)])
  func activationsAreRoundedWhereThatCostsLittle(kl: Double, rounding: Double, isRounded: Bool) {
    let loss = RoundingLoss(text: "built-in", tokens: 1, kl: 0.1, activationRoundingKL: rounding)
    let weights = BundleManifest.Weights(type: .q4, bytes: 1, exactShare: 0, loss, bundleKL: kl)
    #expect(weights.activations == (isRounded ? .int8 : .exact) && weights.problem(bundleKL: kl) == nil)
  }

  @Test(arguments: [
    ("\"kl\" : 0.25", "\"kl\" : -1"), ("\"activations\" : \"exact\"", "\"activations\" : \"int8\""),
    ("\"exact_share\" : ", "\"exact_share\" : 7"),
    ("\"activation_rounding_kl\" : 0.03125,", ""), ("\"activations\" : \"exact\"", "\"activations\" : \"q4\""),
    ("\"tokens\" : 3", "\"tokens\" : 0"), ("\"prefill\" : \"dense\"", "\"prefill\" : \"guess\""),
    ("\"type\" : \"int8\"", "\"type\" : \"f16\""),
    ("\"dense_perplexity\" : 20", "\"dense_perplexity\" : 0.5"), ("\"perplexity\" : 25", "\"perplexity\" : 1e999"),
    ("\"activated_share\" : 0.625", "\"activated_share\" : 1.5"),
    ("\"perplexity\" : 25,\n        \"sparsity\" : 0.5", "\"perplexity\" : 25,\n        \"sparsity\" : 0.25"),
    // Keys that stand twice, or mean nothing.
    ("\"version\" : 1", "\"version\" : 1, \"version\" : 1"), ("\"version\" : 1", "\"version\" : 1, \"verison\" : 1"),
    ("\"exact_share\" : ", "\"exact_share\" : 0, \"exact_share\" : "),
    ("\"exact_share\" : ", "\"exact_shares\" : 0, \"exact_share\" : "),
    ("\"type\" : \"int8\"", "\"type\" : \"int8\", \"t\\u0079pe\" : \"int8\""),
  ])
  func impossibleManifestIsRefused(text: String, replacement: String) throws {
    let path = folder.path("bundle/\(BundleFile.manifest)")
    try TinyModel.llama.open().writeBundle(to: folder.path("bundle"), .int8, [[1, 2]])
    let good = String(decoding: try bytes(ofFile: path), as: UTF8.self)
    #expect(good.contains(text))
    try writeAtomically(resealed(good.replacingOccurrences(of: text, with: replacement)), to: path)
    #expect(throws: BundleError.self) { try BundleManifest(reading: path) }
  }
}
