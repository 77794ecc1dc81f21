/// Why statistics could not be collected, read or merged.
public enum StatisticsError: Error, Equatable, Sendable {
  case unusableActivation(layer: Int)
}

extension StatisticsError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unusableActivation(let layer):
      "layer \(layer) computes activations that are infinite or not a number: check that the model's weights are intact"
    }
  }
}
