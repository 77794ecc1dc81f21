import Checkpoints
import ThresholdSolver
import Transformer

extension SafetensorsFile {
  /// Thresholds of one layer in `statistics/planes.safetensors`.
  public func gradedThresholds(layer index: Int) throws -> Thresholds.Layer {
    func values(_ place: String, _ grade: String) throws -> [Float] {
      try self.values(of: "layers.\(index).\(place).\(grade)")
    }
    return Thresholds.Layer(
      ffn: try values("ffn", "half"), query: try values("query", "half"), key: try values("key", "half"),
      value: try values("value", "half"), output: try values("output", "half"),
      full: GradedPlaces(
        ffn: try values("ffn", "full"), query: try values("query", "full"), key: try values("key", "full"),
        value: try values("value", "full"), output: try values("output", "full")),
      offsets: try planeOffsets(layer: index))
  }

  /// What numpy adds to the sums of high planes.
  public func planeOffsets(layer index: Int) throws -> PlaneOffsets {
    PlaneOffsets(
      gate: try values(of: "layers.\(index).ffn.gate_offset"), up: try values(of: "layers.\(index).ffn.up_offset"))
  }
}
