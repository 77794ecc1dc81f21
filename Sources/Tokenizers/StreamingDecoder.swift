/// Decodes ids one at a time and hands out text as soon as its characters are complete.
///
///     var decoder = StreamingDecoder(tokenizer)
///     for id in ids { print(decoder.append(id), terminator: "") }
///     print(decoder.finish())
///
/// The pieces joined are `tokenizer.decode(ids)`, also where the bytes aren't valid UTF-8.
public struct StreamingDecoder: Sendable {
  private let tokenizer: Tokenizer
  private let skippingSpecialTokens: Bool
  /// The beginning of a scalar whose other bytes haven't come yet.
  private var pending: [UInt8] = []

  /// - Parameter skippingSpecialTokens: leaves out tokens of the kind `control`.
  public init(_ tokenizer: Tokenizer, skippingSpecialTokens: Bool = false) {
    self.tokenizer = tokenizer
    self.skippingSpecialTokens = skippingSpecialTokens
  }

  /// The text that `id` completes, often empty in the midst of a character.
  public mutating func append(_ id: Int32) -> String {
    guard !(skippingSpecialTokens && tokenizer.isSpecial(id)) else { return "" }
    pending += tokenizer.bytes(of: [id])
    // A lead byte never continues what stands before it, so text may be cut before any lead byte.
    let cut = Self.startOfIncompleteScalar(pending)
    defer { pending.removeFirst(cut) }
    return String(decoding: pending[..<cut], as: UTF8.self)
  }

  /// What is left: U+FFFD where the ids ended in the midst of a character, otherwise nothing.
  public mutating func finish() -> String {
    defer { pending = [] }
    return String(decoding: pending, as: UTF8.self)
  }

  private static func startOfIncompleteScalar(_ bytes: [UInt8]) -> Int {
    guard let lead = bytes.indices.suffix(3).last(where: { bytes[$0] & 0xC0 != 0x80 }) else { return bytes.count }
    let length =
      switch bytes[lead] {
      case 0xC2..<0xE0: 2
      case 0xE0..<0xF0: 3
      case 0xF0..<0xF5: 4
      default: 1
      }
    return lead + length > bytes.count ? lead : bytes.count
  }
}
