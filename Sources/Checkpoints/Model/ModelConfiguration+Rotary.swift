import Foundation

extension ModelConfiguration {
  /// By how much a position turns each pair of a head, in radians: `[headDimension / 2]`, in float32 as in the reference
  /// implementations.
  ///
  /// - Parameter local: For layers with a window, where these are turned by angles of their own.
  package func rotaryFrequencies(local: Bool = false) -> [Float] {
    let localBase = local ? localRopeBase : nil
    let base = localBase ?? ropeBase
    let divisors = localBase == nil ? ropeFrequencyDivisors : nil
    return (0..<headDimension / 2).map { i in
      let exponent = Double(2 * i) / Double(headDimension)
      return Float(1 / pow(base, exponent)) / (divisors?[i] ?? 1)
    }
  }
}
