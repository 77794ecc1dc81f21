/// The kinds of work that stages are made of, each with its unit. What a unit costs depends on the model and the machine.
public enum Work: String, Sendable, Codable, CaseIterable, CodingKeyRepresentable {
  /// Beginning a process.
  case starting
  /// Bytes of files that are hashed.
  case hashing
  /// Bytes of text that are read, cleaned and told apart.
  case scanning
  /// Tokens that text is encoded to.
  case tokenizing
  /// Layers that are read and made float32.
  case loading
  /// Layers that are rounded to the bundle's type besides.
  case rounding
  /// Tokens that go through a layer, dense.
  case forward
  /// The same, counted.
  case counting
  /// The same, under thresholds.
  case masking
  /// Tokens whose logits are made and compared.
  case predicting
  /// Layers of statistics that are compressed and written.
  case storing
  /// Layers of statistics that are read.
  case restoring
  /// Layers that are solved for all of the pipeline's requests.
  case solving
  /// Weights that are rounded, compressed and hashed.
  case packing
  /// Weights that are decompressed.
  case unpacking
  /// Weights that are multiplied one by one by the plain decoder.
  case plainProducts = "plain_products"
}

/// How much of each kind of work something is.
public struct WorkAmounts: Sendable, Equatable, ExpressibleByDictionaryLiteral {
  private(set) var units: [Work: Double]

  public init(dictionaryLiteral elements: (Work, Double)...) {
    units = Dictionary(elements, uniquingKeysWith: +)
  }

  public subscript(work: Work) -> Double { units[work] ?? 0 }

  static func + (a: Self, b: Self) -> Self {
    var sum = a
    sum.units.merge(b.units, uniquingKeysWith: +)
    return sum
  }

  static func * (amounts: Self, factor: Double) -> Self {
    var product = amounts
    for work in product.units.keys { product.units[work]? *= factor }
    return product
  }

  /// - Parameter costs: Seconds a unit.
  func seconds(_ costs: [Work: Double]) -> Double {
    units.reduce(0) { $0 + $1.value * (costs[$1.key] ?? 0) }
  }
}
