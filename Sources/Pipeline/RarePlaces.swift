import ThresholdSolver

extension Thresholds.Shares {
  typealias Place = (Thresholds.Shares) -> Double?

  /// Places that only methods for comparison cut, as tables call them: those for which `isCut` holds.
  static func rarePlaces(where isCut: (Place) -> Bool) -> [(title: String, share: Place)] {
    let places: [(title: String, share: Place)] = [
      ("other inputs", { $0.otherInput }), ("key", { $0.key }), ("value", { $0.value }),
    ]
    return places.filter { isCut($0.share) }
  }
}
