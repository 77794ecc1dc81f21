import Checkpoints
import LinearAlgebra

/// The first layer of a model as a model of its own: what costs the same in every layer is measured once.
struct OneLayer: WeightSource {
  private let weights: any WeightSource
  private let first: LayerWeights
  let configuration: ModelConfiguration

  init(_ weights: any WeightSource, _ first: LayerWeights) {
    self.weights = weights
    self.first = first
    var configuration = weights.configuration
    configuration.layerCount = 1
    configuration.globalLayers = configuration.globalLayers.map { Array($0.prefix(1)) }
    self.configuration = configuration
  }

  func layer(_ index: Int) throws -> LayerWeights { first }
  func embeddings(of tokens: [Int32]) throws -> Matrix { try weights.embeddings(of: tokens) }
  func finalNorm() throws -> [Float] { try weights.finalNorm() }
  func outputHead() throws -> Matrix { try weights.outputHead() }
}
