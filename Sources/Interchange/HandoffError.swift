/// Why a bundle cannot be handed off. Each text is one sentence: what, why, what to do.
public enum HandoffError: Error, Equatable, Sendable {
  /// The consumer has nothing that could hold it.
  case cannotCarry(String, format: HandoffFormat, instead: String)
  /// The statistics are not those that the bundle's thresholds were solved from.
  case otherStatistics(path: String, bundle: String)
  /// There are no statistics, which a format needs.
  case noStatistics(path: String)
  /// Something that no hand-off wrote stands where one shall be written.
  case notReplaceable(path: String)
  /// What was written does not read back as what it was made of.
  case unfaithful(path: String)
}

extension HandoffError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .cannotCarry(let what, let format, let instead):
      "\(format.rawValue) cannot carry \(what): \(instead)"
    case .otherStatistics(let path, let bundle):
      "'\(path)' is not what the thresholds of '\(bundle)' were solved from: give the statistics that its manifest names"
    case .noStatistics(let path):
      "there are no statistics at '\(path)', which tell what channels keep and lose: give those that the thresholds were solved from with --statistics"
    case .notReplaceable(let path):
      "'\(path)' is there already, and is no earlier hand-off of this format or holds other files, too: remove it, or give another --output"
    case .unfaithful(let path):
      "'\(path)' did not read back as the bundle: please report this with the bundle's manifest"
    }
  }
}
