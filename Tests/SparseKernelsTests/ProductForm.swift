import SparseKernels
import Testing

/// A way to multiply rows with a vector: how weights are stored, and whether the vector is rounded for them.
struct ProductForm: Sendable, CustomTestStringConvertible {
  let type: ElementType
  let precision: ActivationPrecision

  /// Float weights meet exact vectors anyway.
  static let all = ElementType.allCases.flatMap { type in
    (type.isQuantised ? [ActivationPrecision.exact, .int8] : [.exact]).map { ProductForm(type: type, precision: $0) }
  }

  var testDescription: String { "\(type) × \(precision)" }
}
