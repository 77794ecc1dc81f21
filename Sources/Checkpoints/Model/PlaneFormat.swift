/// How weights lie in two planes, each with half of the bits of every weight, so that a token can read as many bits of a
/// channel as it needs.
public enum PlaneFormat: String, Sendable, CaseIterable, Codable {
  /// Codes of 8 bits with a scale for each 32 weights, in nibbles.
  case int8 = "int8-planes"
  /// binary16, in bytes.
  case f16 = "f16-planes"
}
