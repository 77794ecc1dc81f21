import Checkpoints
import Evaluation
import SparseBundle
import TestSupport
import Testing
import ThresholdSolver

struct ActivatedParametersTests {
  /// Of two planes one is half of a weight.
  @Test func headOnDemandIsReadInPart() throws {
    let c = try TinyModel.llama.open().configuration
    let full = GradedPlaces<Double>(ffn: 1)
    func sparse(_ fullHead: Double?) -> Double {
      ActivatedParameters(c, shares: [.init(ffn: 0, full: full, fullHead: fullHead)]).sparse
    }
    #expect(sparse(nil) == sparse(1))
    #expect(sparse(nil) - sparse(0.25) == 0.375 * Double(c.hiddenSize * c.vocabularySize))
  }

  /// A dense token reads every weight but the embeddings of other tokens; a tied matrix is read as the head, too.
  @Test(arguments: TinyModel.allCases)
  func denseTokenReadsAllWeightsAndOneEmbedding(_ model: TinyModel) throws {
    let c = try model.open().configuration
    let table = c.tiedEmbeddings ? 0 : c.vocabularySize * c.hiddenSize
    let counted = ActivatedParameters(c, shares: [])
    #expect(counted.dense == Double(c.parameterCount - table + c.hiddenSize))
    #expect(counted.sparse == counted.dense && counted.share == 1)
  }

  /// By hand for the tiny llama: 3 layers, hidden 64, FFN 160, query width 64.
  @Test func droppedSharesAreNotRead() throws {
    let c = try TinyModel.llama.open().configuration
    let shares: [Thresholds.Shares] = [
      .init(ffn: 0.5, query: 0.25, output: 0.75), .init(ffn: 1), .init(ffn: 0, down: 0.25, query: 1, output: 0),
    ]
    let counted = ActivatedParameters(c, shares: shares)
    let skipped: Double = 2 * 64 * 160 * 1.5 + 64 * 160 * 0.25 + 64 * 64 * 2
    #expect(counted.dense - counted.sparse == skipped)
    #expect(counted.share == counted.sparse / counted.dense)
  }

  /// By hand for the tiny llama, whose keys and values are 32 wide.
  @Test func droppedInputsOfEveryProjectionAreNotRead() throws {
    let c = try TinyModel.llama.open().configuration
    let shares: [Thresholds.Shares] = [
      .init(ffn: 0, down: 0.5, input: 0.25, otherInput: 0.75, query: 0.5, key: 0.25, value: 0.125, output: 1),
      .init(ffn: 0.5, otherInput: 0.5), .init(ffn: 0, down: 0, input: 0, otherInput: 0),
    ]
    let counted = ActivatedParameters(c, shares: shares)
    let attention: Double = 64 * 64 * 1.5 + 32 * 64 * 0.375
    // In the second layer half of the other rows are read, and half of the inputs of these.
    let skipped = 64 * 160 * 1.5 + attention + 64 * 160 * (0.75 + 0.5)
    #expect(counted.dense - counted.sparse == skipped)
  }

  @Test(arguments: TinyModel.allCases)
  func float32BytesAreFourAWeight(_ model: TinyModel) throws {
    let c = try model.open().configuration
    let shares = (0..<c.layerCount).map { _ in Thresholds.Shares(ffn: 0.5, down: 0.75, query: 0.25, output: 0.125) }
    let counted = ActivatedParameters(c, shares: shares)
    let bytes = TokenBytes(c, .f32, shares: shares, nil)
    #expect(bytes.dense == 4 * counted.dense && bytes.sparse == 4 * counted.sparse)
  }

  /// By hand for the tiny llama: thresholds on factors, products and inputs, two of attention, a bias, and sources.
  @Test func decidingIsPaidFor() throws {
    let checkpoint = try TinyModel.llama.open()
    let thresholds = try checkpoint.someThresholds(isExtended: true)
    let shares = [Thresholds.Shares](repeating: .init(ffn: 0), count: 3)
    let bytes = TokenBytes(checkpoint.configuration, .f16, shares: shares, thresholds)
    let deciding = 3 * (4 * (160 + 1 + 1 + 160 + 1 + 64) + 160)
    #expect(bytes.sparse - bytes.dense == Double(deciding))
    #expect(TokenBytes(checkpoint.configuration, .f16, shares: [], thresholds).sparse == bytes.dense)
  }

  /// Of all projections' inputs: four places of attention with one threshold each, the FFN's with one a channel. No
  /// factor is compared with anything.
  @Test func decidingByInputsIsPaidFor() throws {
    let checkpoint = try TinyModel.llama.open()
    let shares = [Thresholds.Shares](repeating: .init(ffn: 0), count: 3)
    let bytes = TokenBytes(checkpoint.configuration, .f32, shares: shares, try checkpoint.someInputThresholds())
    #expect(bytes.sparse - bytes.dense == 3 * 4 * (4 + 64 + 64 + 160))
  }
}
