/// What work with a model costs on a machine, and what a look at the model and the text tells of sizes.
public struct MachineCosts: Sendable, Codable {
  /// The rate of large float32 products on all threads, in 10⁹ operations a second.
  public var gemmGflops: Double
  /// Bytes a second of the disk that the model lies on.
  public var diskBytesPerSecond: Double
  /// Seconds a unit of each kind of work, on all threads.
  public var seconds: [Work: Double]
  /// Bytes of a layer's statistics in a file, for as many tokens as were counted.
  public var statisticsBytes: Double
  public var statisticsTokens: Int
  /// Packed bytes over unpacked ones, of weights in a bundle.
  public var packedShare: Double
  /// Of each source of the sample, in its order; `nil` where the text is compressed.
  public var tokensPerByte: [Double?]

  /// The same work on a machine with another rate of products: passes take as much more or less time. What one thread
  /// does, or few, takes as long as here.
  func scaled(toGflops gflops: Double) -> Self {
    var scaled = self
    for work in [Work.forward, .counting, .masking, .predicting] { scaled.seconds[work]? *= gemmGflops / gflops }
    scaled.gemmGflops = gflops
    return scaled
  }

  /// Sizes as they are commonly, where nothing is measured.
  static func sizes(of shape: PipelineShape) -> Self {
    MachineCosts(
      gemmGflops: 1, diskBytesPerSecond: 1, seconds: [:],
      statisticsBytes: 0.15 * Double(shape.widths.bytesOfStatistics), statisticsTokens: max(shape.tokens, 2),
      packedShare: 1, tokensPerByte: [])
  }
}
