import Files
import Foundation
import TestSupport
import Testing
import ThresholdSolver

@testable import SparseBundle

/// Bundles with several budgets.
struct ThresholdLadderTests {
  private let folder = TemporaryFolder()
  private let ids: [[Int32]] = [[1, 2, 3], [4, 5]]

  @Test(arguments: [false, true], [WeightType.f32, .q4, .int8Planes])
  func everyBudgetReadsBackAsItWasWritten(isExtended: Bool, type: WeightType) throws {
    let model = try TinyModel.llama.open()
    let golden = try model.writeBundle(
      to: folder.path("b"), type, ids, isExtended: isExtended, otherSparsities: [0.65, 0.3])
    let thresholds = try model.someThresholds(for: type, isExtended: isExtended)
    for sparsity in [nil, 0.5] {
      let bundle = try ModelBundle(path: folder.path("b"), sparsity: sparsity)
      #expect(try bundle.thresholds == thresholds && bundle.golden == golden)
      #expect(bundle.manifest.sparsification.sparsities == [0.5, 0.65, 0.3] && bundle.manifest.version == 2)
    }
    for sparsity in [0.3, 0.65] {
      let bundle = try ModelBundle(path: folder.path("b"), sparsity: sparsity)
      #expect(bundle.thresholds == thresholds.scaled(to: sparsity))
      let other = try bundle.golden
      #expect(zip(other.texts, golden.texts).allSatisfy { $0.dense == $1.dense && $0.sparse != $1.sparse })
    }
    #expect(faults.isEmpty)
  }

  @Test func budgetThatIsNotThereIsRefused() throws {
    try TinyModel.llama.open().writeBundle(to: folder.path("b"), .f32, ids, otherSparsities: [0.7])
    let error = BundleError.noSuchBudget(asked: 0.6, offered: [0.5, 0.7])
    #expect(throws: error) { try ModelBundle(path: folder.path("b"), sparsity: 0.6) }
    #expect("\(error)".contains("0.5 or 0.7"))
  }

  /// Other budgets add files, and change nothing of those that are there.
  @Test func filesOfTheDefaultAreThoseOfItsOwnBundle() throws {
    let model = try TinyModel.qwen2.open()
    try model.writeBundle(to: folder.path("one"), .f16, ids, isExtended: true)
    try model.writeBundle(to: folder.path("both"), .f16, ids, isExtended: true, otherSparsities: [0.25])
    for file in BundleFile.listed {
      #expect(try bytes(ofFile: folder.path("one/\(file)")) == bytes(ofFile: folder.path("both/\(file)")), "\(file)")
    }
    let added = ["golden-0.25.safetensors", "thresholds-0.25.safetensors"]
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("both"))
    #expect(files.sorted() == (BundleFile.listed + added + [BundleFile.manifest]).sorted())
    let manifest = try ModelBundle(path: folder.path("one")).manifest
    #expect(manifest.version == 1 && manifest.sparsification.budgets == nil)
  }

  @Test func thresholdsThatAreNotAlikeAreRefused() throws {
    let good = try TinyModel.llama.open().someThresholds(isExtended: true)
    #expect(try ThresholdLadder(good, others: [good.scaled(to: 0.2)]).all.count == 2)
    let changes: [(inout Thresholds) -> Void] = [
      { $0.request.method = .cats }, { $0.request.attention = false }, { $0.request.norm = .mean },
      { $0.request.sourceShare = 0.25 }, { $0.statisticsHash = "other" }, { $0.corpusHash = "other" },
      { $0.allocationMeasuredOn = ProbedText(text: "other", tokens: 1) },
      { $0.headMeasuredOn = ProbedText(text: "other", tokens: 1) },
      { $0.request.sparsity = 0.5 }, { $0.layers[1].upDecides?[3].toggle() },
      { for index in $0.layers.indices { $0.layers[index].input = nil } },
    ]
    for (index, change) in changes.enumerated() {
      var other = good.scaled(to: 0.2)
      change(&other)
      #expect(throws: BundleError.self, "\(index)") { try ThresholdLadder(good, others: [other]) }
    }
  }

  /// Weights are stored as they are where no inputs are cut, whichever factor decides.
  @Test func sourcesMayDifferWhereInputsAreRead() throws {
    var good = try TinyModel.llama.open().someThresholds(isExtended: true)
    for index in good.layers.indices { good.layers[index].input = nil }
    var other = good.scaled(to: 0.2)
    other.layers[1].upDecides?[3].toggle()
    #expect(try ThresholdLadder(good, others: [other]).factorRows == nil)
  }

  @Test func swappedBudgetsAreFound() throws {
    try TinyModel.llama.open().writeBundle(to: folder.path("b"), .f32, ids, otherSparsities: [0.7, 0.3])
    let paths = [0.7, 0.3].map { folder.path("b/" + BundleFile.thresholds(at: $0)) }
    let contents = try paths.map { try bytes(ofFile: $0) }
    for (path, other) in zip(paths, contents.reversed()) { try writeAtomically(other, to: path) }
    #expect(!faults.isEmpty)
  }

  @Test(arguments: [
    ("\"version\" : 2", "\"version\" : 1"), ("\"version\" : 2", "\"version\" : 3"), ("\"budgets\"", "\"others\""),
    ("\"sparsity\" : 0.7", "\"sparsity\" : 0.5"), ("\"sparsity\" : 0.7", "\"sparsity\" : 7"),
    ("\"sparsity\" : 0.7", "\"sparsity\" : 0.75"), ("\"ffn\" : 0.7", "\"ffn\" : 0.75"),
  ])
  func manifestThatSaysOtherwiseIsFound(text: String, replacement: String) throws {
    let path = folder.path("b/\(BundleFile.manifest)")
    try TinyModel.llama.open().writeBundle(to: folder.path("b"), .f32, ids, otherSparsities: [0.7])
    let good = String(decoding: try bytes(ofFile: path), as: UTF8.self)
    #expect(good.contains(text))
    try writeAtomically(resealed(good.replacingOccurrences(of: text, with: replacement)), to: path)
    #expect(!faults.isEmpty)
  }

  private var faults: [BundleCheck] { BundleVerification(path: folder.path("b")).run().checks.filter { !$0.ok } }
}
