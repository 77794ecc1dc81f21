import Files
import Foundation
import Reports
import SparseBundle
import TestSupport
import Testing
import ThresholdSolver
import Tokenizers

@testable import Pipeline

struct ExportStageTests {
  private let folder = TemporaryFolder()
  private let console = Console(quiet: true)

  @Test(arguments: TinyModel.allCases, WeightType.allCases)
  func bundleOfEveryTypeVerifies(_ model: TinyModel, type: WeightType) throws {
    let checkpoint = try model.open()
    let done = try ExportStage(type: type, threads: 2)
      .run(checkpoint, checkpoint.someThresholds(for: type), output: folder.path("bundle"), console)
    let failed = VerifyStage().run(folder.path("bundle"), console).filter { !$0.ok }
    #expect(failed.isEmpty)
    let weights = try ModelBundle(path: folder.path("bundle")).manifest.weights
    let parameters = checkpoint.parameterCount
    #expect(done.exact.share == weights.exactShare && done.exact.weights == parameters)
    #expect(done.loss?.kl ?? 0 == weights.kl && weights.measuredOn?.text == (type == .f32 ? nil : "built-in"))
    let c = checkpoint.configuration
    #expect(done.exact.matrices == c.layerCount * 7 + (c.tiedEmbeddings ? 1 : 2))
  }

  @Test func thresholdsThatBundlesCannotHoldAreRefused() throws {
    let checkpoint = try TinyModel.llama.open()
    let path = folder.path("bundle")
    #expect(throws: SolverError.notExportable(.wina)) {
      try ExportStage(type: .f32, threads: 1).run(checkpoint, checkpoint.someInputThresholds(), output: path, console)
    }
    #expect(!FileManager.default.fileExists(atPath: path))
    try ExportStage(type: .f32, threads: 1).run(checkpoint, checkpoint.someThresholds(), output: path, console)
    try writeAtomically(checkpoint.someInputThresholds().encoded(), to: path + "/" + BundleFile.thresholds)
    #expect(throws: SolverError.notExportable(.wina)) { try ModelBundle(path: path) }
  }

  @Test func lossIsMeasuredOnTheTextThatIsGiven() throws {
    let path = folder.path("held-out.txt")
    try writeAtomically("Winter came early that year, and the river froze.".utf8, to: path)
    let model = try TinyModel.llama.open()
    try ExportStage(type: .int8, text: .files([path]), threads: 1)
      .run(model, model.someThresholds(), output: folder.path("bundle"), console)
    let measured = try #require(try ModelBundle(path: folder.path("bundle")).manifest.weights.measuredOn)
    let digest = try sha256(ofFile: path)
    #expect(measured.text == digest)
    let tokens = try windows(.files([path])).joined().count
    #expect(measured.tokens == tokens - 1)
  }

  @Test func windowsAreCutFromDocumentsInOrder() throws {
    let tokenizer = try Tokenizer(TinyModel.llama.open().tokenizer)
    let paths = ["a.txt", "b.txt"].map(folder.path)
    for (path, text) in zip(paths, ["one two three ", "four five six "]) {
      try writeAtomically(String(repeating: text, count: 40).utf8, to: path)
    }
    let all = try windows(.files(paths))
    let end = try #require(tokenizer.endOfText)
    let expected = [String(repeating: "one two three ", count: 40), String(repeating: "four five six ", count: 40)]
      .flatMap { tokenizer.encode($0) + [end] }
    #expect(Array(all.joined()) == Array(expected.prefix(all.joined().count)))
    #expect(all.allSatisfy { $0.count == all[0].count } && expected.count - all.joined().count < all[0].count)
  }

  @Test func builtInTextIsAFewPages() throws {
    let all = try windows(.builtIn)
    #expect(all.count >= 2 && all.joined().count <= 2048)
    #expect(try LossText.builtIn.name() == "built-in")
  }

  @Test func textWithoutTokensIsRefused() throws {
    try writeAtomically("".utf8, to: folder.path("empty.txt"))
    #expect(throws: (any Error).self) { try windows(.files([folder.path("absent.txt")])) }
    try writeAtomically("{}".utf8, to: folder.path("wrong.jsonl"))
    #expect(throws: (any Error).self) { try windows(.files([folder.path("wrong.jsonl")])) }
  }

  private func windows(_ text: LossText) throws -> [[Int32]] {
    let model = try TinyModel.llama.open()
    let c = model.configuration
    return try text.windows(
      Tokenizer(model.tokenizer), contextLength: c.contextLength, vocabularySize: c.vocabularySize, model: model.path)
  }
}
