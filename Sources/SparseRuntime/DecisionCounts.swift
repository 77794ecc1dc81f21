import ThresholdSolver

/// How many values thresholds let through while decoding, at each place of cutting.
public struct DecisionCounts: Sendable, Equatable {
  public struct Place: Sendable, Equatable {
    public private(set) var kept = 0
    public private(set) var seen = 0

    /// The share dropped; 0 where nothing was decided.
    public var share: Double { seen == 0 ? 0 : Double(seen - kept) / Double(seen) }

    mutating func count(kept: Int, of channels: Int) {
      self.kept += kept
      seen += channels
    }

    mutating func count(_ flags: [Bool], _ rule: KeepRule) {
      guard case .thresholds = rule else { return }
      kept += flags.count { $0 }
      seen += flags.count
    }
  }

  public internal(set) var ffn = Place()
  /// Channels whose down column was read, of all; nothing where there is no second cut.
  public internal(set) var down = Place()
  /// Inputs of the FFN that deciding rows read, of all; nothing where they read them all.
  public internal(set) var input = Place()
  public internal(set) var query = Place()
  public internal(set) var output = Place()

  /// The shares dropped, over all layers and steps; `nil` where nothing was decided.
  public var shares: Thresholds.Shares {
    Thresholds.Shares(
      ffn: ffn.share, down: down.seen > 0 ? down.share : nil,
      input: input.seen > 0 ? input.share : nil, query: query.seen > 0 ? query.share : nil,
      output: output.seen > 0 ? output.share : nil)
  }
}
