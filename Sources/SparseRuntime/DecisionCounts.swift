import ThresholdSolver

/// How many values thresholds let through while decoding, at each place of cutting.
public struct DecisionCounts: Sendable, Equatable {
  public struct Place: Sendable, Equatable {
    public private(set) var kept = 0
    /// Of those kept, the ones that were read with all bits of their weights; `nil` where all of them were.
    public private(set) var full: Int?
    public private(set) var seen = 0

    /// The share dropped; 0 where nothing was decided.
    public var share: Double { seen == 0 ? 0 : Double(seen - kept) / Double(seen) }

    /// The share that was read with all bits, of graded weights.
    public var fullShare: Double? { full.map { Double($0) / Double(max(seen, 1)) } }

    /// - Parameter full: How many of those kept were read whole, of graded weights.
    mutating func count(kept: Int, full: Int? = nil, of channels: Int) {
      self.kept += kept
      seen += channels
      if let full { self.full = (self.full ?? 0) + full }
    }

    mutating func add(_ other: Self) { count(kept: other.kept, full: other.full, of: other.seen) }

    mutating func count(_ flags: [Bool], full: [Bool]? = nil, _ rule: KeepRule) {
      guard case .thresholds = rule else { return }
      count(kept: flags.count { $0 }, full: full?.count { $0 }, of: flags.count)
    }
  }

  public internal(set) var ffn = Place()
  /// Channels whose down column was read, of all; nothing where there is no second cut.
  public internal(set) var down = Place()
  /// Inputs of the FFN that deciding rows read, of all; nothing where they read them all.
  public internal(set) var input = Place()
  public internal(set) var query = Place()
  /// Of graded weights alone: all others read all inputs of key and value projections.
  public internal(set) var key = Place()
  public internal(set) var value = Place()
  public internal(set) var output = Place()
  /// Rows of the output head that were read by both planes, of all; nothing where all of them are.
  public internal(set) var head = Place()

  /// The shares dropped, over all layers and steps; `nil` where nothing was decided.
  public var shares: Thresholds.Shares {
    func share(_ place: Place) -> Double? { place.seen > 0 ? place.share : nil }
    return Thresholds.Shares(
      ffn: ffn.share, down: share(down), input: share(input), query: share(query), key: share(key),
      value: share(value), output: share(output),
      full: ffn.fullShare.map {
        GradedPlaces(
          ffn: $0, query: query.fullShare, key: key.fullShare, value: value.fullShare, output: output.fullShare)
      }, fullHead: head.seen > 0 ? 1 - head.share : nil)
  }
}

extension DecisionCounts {
  mutating func add(_ other: Self) {
    for place in SparsePlace.allCases { self[place].add(other[place]) }
    head.add(other.head)
  }

  subscript(place: SparsePlace) -> Place {
    get { self[keyPath: Self.path(place)] }
    set { self[keyPath: Self.path(place)] = newValue }
  }

  private static func path(_ place: SparsePlace) -> WritableKeyPath<DecisionCounts, Place> {
    switch place {
    case .query: \.query
    case .key: \.key
    case .value: \.value
    case .output: \.output
    case .input: \.input
    case .ffn: \.ffn
    case .down: \.down
    }
  }
}

extension SparsePlace {
  /// The same in the words of thresholds.
  var place: Thresholds.Place {
    switch self {
    case .query: .query
    case .key: .key
    case .value: .value
    case .output: .output
    case .input: .input
    case .ffn: .ffn
    case .down: .down
    }
  }
}
