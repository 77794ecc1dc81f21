import Checkpoints
import SparseBundle
import TestSupport
import Testing

extension TemporaryFolder {
  func bundle(_ tiny: TinyModel, _ type: WeightType) throws -> ModelBundle {
    try tiny.open().writeBundle(to: path("bundle"), type, [[1, 2]])
    return try ModelBundle(path: path("bundle"))
  }
}

/// - Parameter tolerance: How far norms may lie apart.
func expectSameWeights(_ read: any WeightSource, _ bundle: ModelBundle, normsWithin tolerance: Float = 0) throws {
  func areEqual(_ a: [Float]?, _ b: [Float]?) -> Bool {
    zip(a ?? [], b ?? []).allSatisfy { ($0 - $1).magnitude <= tolerance } && a?.count == b?.count
  }
  #expect(read.configuration == bundle.configuration)
  for index in 0..<bundle.configuration.layerCount {
    let (a, b) = (try read.layer(index), try bundle.weights.layer(index))
    #expect(a.query.values == b.query.values && a.key.values == b.key.values && a.value.values == b.value.values)
    #expect(a.output.values == b.output.values && a.gate.values == b.gate.values && a.up.values == b.up.values)
    #expect(a.down.values == b.down.values)
    #expect(a.queryBias == b.queryBias && a.keyBias == b.keyBias && a.valueBias == b.valueBias)
    #expect(areEqual(a.attentionNorm, b.attentionNorm) && areEqual(a.ffnNorm, b.ffnNorm))
    #expect(areEqual(a.queryNorm, b.queryNorm) && areEqual(a.keyNorm, b.keyNorm))
    #expect(areEqual(a.attentionPostNorm, b.attentionPostNorm) && areEqual(a.ffnPostNorm, b.ffnPostNorm))
  }
  let everyToken = Array(0..<Int32(bundle.configuration.vocabularySize))
  #expect(try read.embeddings(of: everyToken).values == bundle.weights.embeddings(of: everyToken).values)
  #expect(try read.outputHead().values == bundle.weights.outputHead().values)
  #expect(areEqual(try read.finalNorm(), try bundle.weights.finalNorm()))
}
