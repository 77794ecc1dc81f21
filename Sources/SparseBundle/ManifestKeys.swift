import Foundation

/// What decoding lets pass: keys that stand twice in an object, of which readers take one or the other, and keys that
/// mean nothing.
enum ManifestKeys {
  /// What is wrong with the keys of a manifest.
  ///
  /// - Parameter meant: The JSON of what was decoded from it.
  /// - Precondition: `json` is JSON.
  static func problem(_ json: Data, meant: Data) throws -> String? {
    if let problem = repeated(json) { return problem }
    let (found, known) = (try JSONSerialization.jsonObject(with: json), try JSONSerialization.jsonObject(with: meant))
    return unknown(found, known).map { "key '\($0)' means nothing" }
  }

  private static func repeated(_ json: Data) -> String? {
    /// The keys so far of each object that is open; arrays have none.
    var open: [Set<[UInt8]>?] = []
    var expectsKey = false
    var rest = json[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "{"):
        open.append([])
        expectsKey = true
      case UInt8(ascii: "["):
        open.append(nil)
        expectsKey = false
      case UInt8(ascii: "}"), UInt8(ascii: "]"): open.removeLast()
      case UInt8(ascii: ","): expectsKey = open.last != .some(nil)
      case UInt8(ascii: ":"): expectsKey = false
      case UInt8(ascii: "\""):
        let text = string(&rest)
        guard expectsKey else { continue }
        let key = String(decoding: text, as: UTF8.self)
        if text.contains(UInt8(ascii: "\\")) { return "key '\(key)' is spelt with escapes" }
        if open[open.count - 1]?.insert(text).inserted == false { return "key '\(key)' stands twice in an object" }
      default: continue
      }
    }
    return nil
  }

  /// The bytes up to the closing quote, escapes as they stand.
  private static func string(_ rest: inout Data.SubSequence) -> [UInt8] {
    var text: [UInt8] = []
    while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
      text.append(byte)
      if byte == UInt8(ascii: "\\"), let escaped = rest.popFirst() { text.append(escaped) }
    }
    return text
  }

  private static func unknown(_ found: Any, _ known: Any) -> String? {
    if let found = found as? [String: Any], let known = known as? [String: Any] {
      return found.keys.sorted().lazy.compactMap { key in known[key].map { unknown(found[key] ?? 0, $0) } ?? key }.first
    }
    guard let found = found as? [Any], let known = known as? [Any] else { return nil }
    return zip(found, known).lazy.compactMap { unknown($0, $1) }.first
  }
}
