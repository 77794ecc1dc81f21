/// What an attribute holds: one value or a list, of text, integers or reals.
public enum HDF5Attribute: Sendable, Equatable {
  case string(String)
  case integer(Int64)
  case real(Double)
  case strings([String])
  case integers([Int64])
  case reals([Double])

  /// In the words of error messages.
  var kind: String {
    switch self {
    case .string: "a string"
    case .integer: "an integer"
    case .real: "a real number"
    case .strings: "a list of strings"
    case .integers: "a list of integers"
    case .reals: "a list of real numbers"
    }
  }
}

/// A type whose values can be attributes: `String`, `Int64`, `Double` and arrays of them.
public protocol HDF5AttributeValue: Sendable {
  /// The value as it is stored.
  var attribute: HDF5Attribute { get }

  /// `nil` where the attribute is of another kind.
  init?(_ attribute: HDF5Attribute)
}

extension HDF5Attribute: HDF5AttributeValue {
  public var attribute: HDF5Attribute { self }
  public init?(_ attribute: HDF5Attribute) { self = attribute }
}

extension String: HDF5AttributeValue {
  public var attribute: HDF5Attribute { .string(self) }
  public init?(_ attribute: HDF5Attribute) {
    guard case .string(let value) = attribute else { return nil }
    self = value
  }
}

extension Int64: HDF5AttributeValue {
  public var attribute: HDF5Attribute { .integer(self) }
  public init?(_ attribute: HDF5Attribute) {
    guard case .integer(let value) = attribute else { return nil }
    self = value
  }
}

extension Double: HDF5AttributeValue {
  public var attribute: HDF5Attribute { .real(self) }
  public init?(_ attribute: HDF5Attribute) {
    guard case .real(let value) = attribute else { return nil }
    self = value
  }
}

/// A type whose arrays can be attributes.
public protocol HDF5AttributeElement: HDF5AttributeValue {
  /// A list as it is stored.
  static func attribute(of list: [Self]) -> HDF5Attribute

  /// `nil` where the attribute is of another kind.
  static func list(_ attribute: HDF5Attribute) -> [Self]?
}

extension String: HDF5AttributeElement {
  public static func attribute(of list: [String]) -> HDF5Attribute { .strings(list) }
  public static func list(_ attribute: HDF5Attribute) -> [String]? {
    if case .strings(let values) = attribute { values } else { nil }
  }
}

extension Int64: HDF5AttributeElement {
  public static func attribute(of list: [Int64]) -> HDF5Attribute { .integers(list) }
  public static func list(_ attribute: HDF5Attribute) -> [Int64]? {
    if case .integers(let values) = attribute { values } else { nil }
  }
}

extension Double: HDF5AttributeElement {
  public static func attribute(of list: [Double]) -> HDF5Attribute { .reals(list) }
  public static func list(_ attribute: HDF5Attribute) -> [Double]? {
    if case .reals(let values) = attribute { values } else { nil }
  }
}

extension Array: HDF5AttributeValue where Element: HDF5AttributeElement {
  public var attribute: HDF5Attribute { Element.attribute(of: self) }
  public init?(_ attribute: HDF5Attribute) {
    guard let values = Element.list(attribute) else { return nil }
    self = values
  }
}
