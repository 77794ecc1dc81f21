import Checkpoints
import ThresholdSolver

/// Why a bundle could not be written or read.
public enum BundleError: Error, Equatable, Sendable {
  case malformed(file: String, reason: String)
  case otherModel(thresholds: String, model: String)
  case notABundle(path: String)
  case unlikeBudgets(reason: String)
  case noSuchBudget(asked: Double, offered: [Double])
  case outOfRange(tensor: String, type: WeightType)
  case notFinite(tensor: String)
  case unlikeWeights(SolverRequest.Method, PlaneFormat?, WeightType)
}

extension BundleError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .malformed(let file, let reason):
      "the bundle's '\(file)' cannot be used: \(reason)"
    case .otherModel(let thresholds, let model):
      "the thresholds were solved for the model \(thresholds.prefix(12))…, but this is \(model.prefix(12))…: give the model that was calibrated"
    case .notABundle(let path):
      "'\(path)' holds something that is not a bundle of Gambit, and is left alone: choose another folder"
    case .unlikeBudgets(let reason):
      "these thresholds cannot share a bundle: \(reason)"
    case .noSuchBudget(let asked, let offered):
      "the bundle has no thresholds for sparsity \(asked): choose \(offered.map { String($0) }.joined(separator: " or "))"
    case .outOfRange(let tensor, let type):
      "tensor '\(tensor)' has weights beyond the range of \(type.rawValue): export as \(type == .bf16 ? "f32" : "bf16 or f32")"
    case .unlikeWeights(_, let planes?, let type):
      "these thresholds grade weights of type '\(planes.rawValue)', but those of the bundle are '\(type.rawValue)': export as '\(planes.rawValue)', or solve other thresholds"
    case .unlikeWeights(let method, nil, let type):
      "thresholds of method '\(method.rawValue)' do not grade weights of type '\(type.rawValue)', which the bundle is to hold: solve with method 'planes', or export as another type"
    case .notFinite(let tensor):
      "tensor '\(tensor)' has weights that are infinite or no numbers: the model is damaged"
    }
  }
}

extension BundleError {
  init(_ problem: UnstorableWeights, tensor: String, _ type: WeightType) {
    self =
      switch problem {
      case .notFinite: .notFinite(tensor: tensor)
      case .outOfRange: .outOfRange(tensor: tensor, type: type)
      }
  }
}

extension WeightType {
  /// Checks that a bundle of this type can hold thresholds: those that grade weights need the planes that they were solved
  /// for, and weights in planes need them.
  ///
  /// - Throws: ``BundleError/unlikeWeights(_:_:_:)``, or `SolverError` where no bundle can hold them.
  public func check(holds thresholds: Thresholds) throws {
    try check(holds: thresholds.request.method, thresholds.planes)
  }

  /// The same of thresholds that are not solved yet.
  ///
  /// - Parameter graded: How the weights lie that they will grade; `nil` where they grade none.
  public func check(holds method: SolverRequest.Method, _ graded: PlaneFormat?) throws {
    try method.checkExportable()
    guard graded == planes else { throw BundleError.unlikeWeights(method, graded, self) }
  }
}
