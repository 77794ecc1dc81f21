/// A share between 0 and 1, written as such or in percent.
public struct Percentage: Sendable, Equatable, Codable {
  public let share: Double

  /// `nil` where `text` is no such share.
  public init?(_ text: String) {
    let isPercent = text.hasSuffix("%")
    guard let number = Double(isPercent ? text.dropLast() : text[...]) else { return nil }
    share = isPercent ? number / 100 : number
    guard share > 0, share < 1 else { return nil }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let percentage = Percentage(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "it is no share between 0 and 1, such as 1% or 0.01")
    }
    self = percentage
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(String(share))
  }
}
