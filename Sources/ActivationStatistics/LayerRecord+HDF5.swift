import HDF5
import Transformer

// The layout of one layer in a statistics file; `schemas/statistics-hdf5.md` describes it.

extension LayerRecord {
  func write(to group: HDF5Group) throws {
    try regular.write(to: group)
    if sinks.hasTokens { try sinks.write(to: group.createGroup("sinks")) }
    try offsets?.write(to: group)
  }

  /// - Throws: `HDF5Error`, or ``StatisticsError/malformed(path:reason:)``.
  init(reading group: HDF5Group, of description: StatisticsDescription, path: String) throws {
    let widths = description.widths
    regular = try LayerStatistics(reading: group, widths, tokens: description.tokens, path: path)
    sinks =
      description.sinkTokens > 0
      ? try LayerStatistics(reading: group.group("sinks"), widths, tokens: description.sinkTokens, path: path)
      : LayerStatistics(widths)
    offsets = widths.hasScores ? try PlaneOffsets(reading: group, channels: widths.intermediate, path: path) : nil
  }
}

extension PlaneOffsets {
  private static let (gateName, upName) = ("ffn/gate_offset", "ffn/up_offset")

  fileprivate func write(to group: HDF5Group) throws {
    for (name, values) in [(Self.gateName, gate), (Self.upName, up)] {
      try group.write(values, shape: [values.count], to: name)
        .attributes.write("added to the sums of high planes in h", to: "units")
    }
  }

  /// `nil` where scores were counted without.
  fileprivate init?(reading group: HDF5Group, channels: Int, path: String) throws {
    guard try group.exists(Self.gateName) else { return nil }
    self.init(
      gate: try group.read(Self.gateName, as: Float.self, shape: [channels]),
      up: try group.read(Self.upName, as: Float.self, shape: [channels]))
    guard isUsable(channels: channels) else {
      throw StatisticsError.malformed(path: path, reason: "in '\(group.path)' offsets are not finite")
    }
  }
}

extension LayerStatistics {
  fileprivate var hasTokens: Bool { gate.count.contains { $0 > 0 } }

  fileprivate func write(to group: HDF5Group) throws {
    try gate.write(to: group, "ffn/gate", symbol: "g")
    try up.write(to: group, "ffn/up", symbol: "u")
    try group.write(histogram: productCount, of: "g*u", to: "ffn/product_count")
    try group.write(histogram: ffnInputCount, of: "x", to: "ffn/input_count")
    try group.write(histogram: attentionInputCount, of: "x", to: "attention/input_count")
    try group.write(histogram: outputInputCount, of: "x", to: "attention/output_input_count")
    try scores?.write(to: group)
  }

  fileprivate init(reading group: HDF5Group, _ widths: LayerWidths, tokens: Int, path: String) throws {
    gate = try FactorStatistics(reading: group, "ffn/gate", channels: widths.intermediate, path: path)
    up = try FactorStatistics(reading: group, "ffn/up", channels: widths.intermediate, path: path)
    productCount = try group.readHistogram("ffn/product_count", channels: widths.intermediate, path: path)
    ffnInputCount = try group.readHistogram("ffn/input_count", channels: widths.hidden, path: path)
    attentionInputCount = try group.readHistogram("attention/input_count", channels: widths.hidden, path: path)
    outputInputCount = try group.readHistogram("attention/output_input_count", channels: widths.query, path: path)
    scores = widths.hasScores ? try ScoreStatistics(reading: group, channels: widths.intermediate, path: path) : nil
    if let contradiction = contradiction(tokens: tokens) {
      throw StatisticsError.malformed(path: path, reason: "in '\(group.path)' \(contradiction)")
    }
  }
}

extension ScoreStatistics {
  fileprivate func write(to group: HDF5Group) throws {
    let bins = LogarithmicBins.count
    try group.write(histogram: count, of: "h", to: "ffn/score_count")
    try group.write(
      energy, columns: bins, units: "sum of (g*u)^2 by bin of |h|, h = g*u by high planes", to: "ffn/score_energy")
    try group.write(error, columns: bins, units: "sum of (g*u - h)^2 by bin of |h|", to: "ffn/score_error")
  }

  fileprivate init(reading group: HDF5Group, channels: Int, path: String) throws {
    count = try group.readHistogram("ffn/score_count", channels: channels, path: path)
    energy = try group.readSums("ffn/score_energy", shape: [channels, LogarithmicBins.count], path: path)
    error = try group.readSums("ffn/score_error", shape: [channels, LogarithmicBins.count], path: path)
  }
}

extension FactorStatistics {
  fileprivate func write(to group: HDF5Group, _ name: String, symbol: String) throws {
    let bins = LogarithmicBins.count
    try group.write(histogram: count, of: symbol, to: "\(name)_count")
    try group.write(energy, columns: bins, units: "sum of (g*u)^2 by bin of |\(symbol)|", to: "\(name)_energy")
    try group.write(sum, columns: bins, units: "sum of g*u by bin of |\(symbol)|", to: "\(name)_product_sum")
    try group.write(absoluteSum, columns: nil, units: "sum of |\(symbol)|", to: "\(name)_abs_sum")
    try group.write(squareSum, columns: nil, units: "sum of \(symbol)^2", to: "\(name)_square_sum")
  }

  fileprivate init(reading group: HDF5Group, _ name: String, channels: Int, path: String) throws {
    count = try group.readHistogram("\(name)_count", channels: channels, path: path)
    energy = try group.readSums("\(name)_energy", shape: [channels, LogarithmicBins.count], path: path)
    sum = try group.readSums("\(name)_product_sum", shape: [channels, LogarithmicBins.count], path: path)
    absoluteSum = try group.readSums("\(name)_abs_sum", shape: [channels], path: path)
    squareSum = try group.readSums("\(name)_square_sum", shape: [channels], path: path)
  }
}

extension HDF5Group {
  private static var storage: HDF5Storage { HDF5Storage(compression: .runs) }

  fileprivate func write(histogram: [Int64], of symbol: String, to name: String) throws {
    let bins = LogarithmicBins.count
    try write(histogram, shape: [histogram.count / bins, bins], to: name, storage: Self.storage)
      .attributes.write("tokens by bin of |\(symbol)|", to: "units")
  }

  fileprivate func write(_ sums: ExactSums, columns: Int?, units: String, to name: String) throws {
    let shape = columns.map { [sums.count / $0, $0] } ?? [sums.count]
    try write(sums.values, shape: shape, to: name, storage: Self.storage).attributes.write(units, to: "units")
    let residuals = sums.residuals
    if residuals.contains(where: { $0 != 0 }) {
      try write(residuals, shape: shape, to: name + "_residual", storage: Self.storage)
        .attributes.write("exact rest of \(units)", to: "units")
    }
  }

  fileprivate func readHistogram(_ name: String, channels: Int, path: String) throws -> [Int64] {
    let counts = try read(name, as: Int64.self, shape: [channels, LogarithmicBins.count])
    // Sums of counts over any layer must not overflow.
    guard counts.allSatisfy({ $0 >= 0 && $0 < 1 << 40 }) else {
      throw StatisticsError.malformed(path: path, reason: "'\(self.path)/\(name)' has counts below 0 or above 2^40")
    }
    return counts
  }

  fileprivate func readSums(_ name: String, shape: [Int], path: String) throws -> ExactSums {
    let values = try read(name, as: Double.self, shape: shape)
    let rest = name + "_residual"
    let residuals = try exists(rest) ? read(rest, as: Double.self, shape: shape) : nil
    guard let sums = ExactSums(values: values, residuals: residuals) else {
      throw StatisticsError.malformed(
        path: path, reason: "'\(self.path)/\(name)' has values that are no multiples of 2^\(ExactSums.quantumExponent)")
    }
    return sums
  }
}
