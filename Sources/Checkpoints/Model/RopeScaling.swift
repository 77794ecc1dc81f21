import Foundation

/// How a model stretches its rotary positions over a longer context than it was first trained on.
enum RopeScaling: Equatable, Sendable {
  case none
  /// All frequencies divided by one factor.
  case linear(factor: Double)
  /// Llama 3.1's: long wavelengths divided by `factor`, short ones kept, a smooth passage between.
  case llama3(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalContext: Double)

  /// Divisors of the rotary frequencies, `[headDimension / 2]`; `nil` for all ones.
  ///
  /// - Parameter base: the base of the frequencies `base^(-2i / headDimension)`.
  func frequencyDivisors(headDimension: Int, base: Double) -> [Float]? {
    switch self {
    case .none: return nil
    case .linear(let factor): return [Float](repeating: Float(factor), count: headDimension / 2)
    case .llama3(let factor, let low, let high, let context):
      return (0..<headDimension / 2).map { index in
        let wavelength = 2 * Double.pi * pow(base, 2 * Double(index) / Double(headDimension))
        if wavelength < context / high { return 1 }
        if wavelength > context / low { return Float(factor) }
        let kept = (context / wavelength - low) / (high - low)
        return Float(1 / ((1 - kept) / factor + kept))
      }
    }
  }
}
