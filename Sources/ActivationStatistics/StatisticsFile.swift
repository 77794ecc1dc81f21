import Checkpoints
import HDF5

/// Statistics of a model over a text, on disk: a layer is read when it is asked for.
///
///     let file = try StatisticsFile(path: "statistics.h5")
///     let record = try file.layer(0)
public struct StatisticsFile: Sendable {
  static let format = "gambit-statistics"
  static let version: Int64 = 1

  public let path: String
  public let description: StatisticsDescription
  private let file: HDF5File

  /// - Throws: `HDF5Error` where the file cannot be read, ``StatisticsError/malformed(path:reason:)``
  ///   where it is of another kind, ``StatisticsError/someLayers(path:_:count:)`` where layers are missing.
  public init(path: String) throws {
    try self.init(partAt: path)
    guard description.hasAllLayers else {
      throw StatisticsError.someLayers(path: path, description.layers, count: description.layerCount)
    }
  }

  /// The same of a file that may hold some layers alone.
  public init(partAt path: String) throws {
    file = try HDF5File(reading: path)
    self.path = path
    description = try StatisticsDescription(reading: file, path: path)
  }

  /// - Precondition: `description.layers` contains `index`.
  /// - Complexity: O(channels · bins).
  public func layer(_ index: Int) throws -> LayerRecord {
    try LayerRecord(reading: file.root.group(Self.group(ofLayer: index)), of: description, path: path)
  }

  static func group(ofLayer index: Int) -> String {
    let digits = String(index)
    return "layers/" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
  }
}

extension StatisticsDescription {
  /// Writes everything but the layers.
  func write(to file: HDF5File) throws {
    let attributes = file.root.attributes
    try attributes.write(StatisticsFile.format, to: "format")
    try attributes.write(StatisticsFile.version, to: "version")
    try attributes.write(modelName, to: "model_name")
    try attributes.write(modelHash, to: "model_sha256")
    try attributes.write(corpusHash, to: "corpus_sha256")
    try attributes.write(toolVersion, to: "gambit_version")
    try attributes.write(gateActivation.rawValue, to: "gate_activation")
    try attributes.write("2^\(ExactSums.quantumExponent)", to: "sum_quantum")
    if let scores { try attributes.write(scores.rawValue, to: "scores") }
    if !hasAllLayers {
      try attributes.write(Int64(layers.lowerBound), to: "first_layer")
      try attributes.write(Int64(layers.upperBound), to: "end_layer")
    }
    for (name, value) in counts { try attributes.write(Int64(value), to: name) }

    let edges = try file.root.write(LogarithmicBins.edges, shape: [LogarithmicBins.edges.count], to: "bin_edges")
    try edges.attributes.write("magnitude of the activation; bin b holds edges[b] <= |x| < edges[b+1]", to: "units")
    try file.root.write([Int64(tokens)], shape: [], to: "tokens").attributes
      .write("tokens counted in each histogram under /layers, sinks not among them", to: "units")
    try file.root.write([Int64(sinkTokens)], shape: [], to: "sink_tokens").attributes
      .write("tokens counted in each histogram under a layer's sinks", to: "units")
    let ranges = coverage.flatMap { [Int64($0.lowerBound), Int64($0.upperBound)] }
    try file.root.write(ranges, shape: [coverage.count, 2], to: "coverage").attributes
      .write(
        "sequences of the corpus that were read, from the first number up to, not including, the second", to: "units")
  }

  private var counts: [(String, Int)] {
    [
      ("layer_count", layerCount), ("hidden_size", hiddenSize), ("query_width", queryWidth),
      ("intermediate_size", intermediateSize), ("sequence_length", sequenceLength),
      ("sequence_count", sequenceCount), ("sink_positions", sinkPositions),
    ]
  }

  init(reading file: HDF5File, path: String) throws {
    let attributes = file.root.attributes
    func fail(_ reason: String) -> StatisticsError { .malformed(path: path, reason: reason) }
    guard try attributes.exists("format"), try attributes.read("format", as: String.self) == StatisticsFile.format
    else { throw fail("it does not say format '\(StatisticsFile.format)'") }
    let version = try attributes.read("version", as: Int64.self)
    guard version == StatisticsFile.version else {
      throw fail("it has version \(version), but this program reads version \(StatisticsFile.version)")
    }
    func count(_ name: String) throws -> Int {
      let value = try attributes.read(name, as: Int64.self)
      guard (0..<1 << 31).contains(value) else { throw fail("its \(name) is \(value)") }
      return Int(value)
    }
    guard
      try file.root.read("bin_edges", as: Double.self, shape: [LogarithmicBins.edges.count]) == LogarithmicBins.edges
    else { throw fail("its bins are not those of this version") }

    modelName = try attributes.read("model_name")
    modelHash = try attributes.read("model_sha256")
    corpusHash = try attributes.read("corpus_sha256")
    toolVersion = try attributes.read("gambit_version")
    scores = try attributes.exists("scores") ? PlaneFormat(rawValue: attributes.read("scores")) : nil
    guard try scores != nil || !attributes.exists("scores") else {
      throw fail("its scores are of a format that this program does not know")
    }
    guard let activation = GateActivation(rawValue: try attributes.read("gate_activation")) else {
      throw fail("its gate_activation is none that this program knows")
    }
    gateActivation = activation
    layerCount = try count("layer_count")
    layers = 0..<layerCount
    if try attributes.exists("first_layer") || attributes.exists("end_layer") {
      let (first, end) = (try count("first_layer"), try count("end_layer"))
      guard first < end, end <= layerCount, end - first < layerCount else {
        throw fail("its first_layer and end_layer are no part of its layers")
      }
      layers = first..<end
    }
    hiddenSize = try count("hidden_size")
    queryWidth = try count("query_width")
    intermediateSize = try count("intermediate_size")
    sequenceLength = try count("sequence_length")
    sequenceCount = try count("sequence_count")
    sinkPositions = try count("sink_positions")

    let shape = try file.root.shape(of: "coverage")
    guard shape.count == 2, shape[1] == 2 else { throw fail("its coverage is not a list of ranges") }
    let bounds = try file.root.read("coverage", as: Int64.self, shape: shape)
    coverage = []
    for index in 0..<shape[0] {
      let (low, high) = (bounds[2 * index], bounds[2 * index + 1])
      guard low >= Int64(coverage.last?.upperBound ?? 0), low < high, high <= Int64(sequenceCount) else {
        throw fail("its coverage is not ascending within the corpus")
      }
      coverage.append(Int(low)..<Int(high))
    }
    guard try file.root.read("tokens", as: Int64.self, shape: []) == [Int64(tokens)] else {
      throw fail("its number of tokens is not that of its coverage")
    }
  }
}
