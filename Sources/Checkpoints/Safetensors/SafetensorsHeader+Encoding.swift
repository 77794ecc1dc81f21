extension SafetensorsHeader {
  /// What a tensor is, before it has a place.
  public struct Description: Sendable, Equatable {
    public var name: String
    public var type: SafetensorsType
    /// Outermost dimension first; empty for a scalar.
    public var shape: [Int]

    public init(name: String, type: SafetensorsType, shape: [Int]) {
      self.name = name
      self.type = type
      self.shape = shape
    }
  }

  /// Places tensors one after the other, in the order given.
  ///
  /// Data starts at a multiple of ``dataAlignment``, so a tensor does where the sizes of all before it
  /// are multiples of it; the format knows no padding between tensors.
  ///
  /// - Throws: ``SafetensorsError`` where names repeat, one is `__metadata__`, or sizes exceed `Int`.
  public init(placing descriptions: [Description], metadata: [String: String] = [:]) throws(SafetensorsError) {
    var end = 0
    var tensors: [Tensor] = []
    for description in descriptions {
      guard let size = description.type.byteCount(of: description.shape), size <= Int.max - end else {
        throw .wrongSize(tensor: description.name)
      }
      guard description.name != "__metadata__" else { throw .duplicateName(description.name) }
      tensors.append(
        .init(
          name: description.name, type: description.type, shape: description.shape, byteRange: end..<end + size))
      end += size
    }
    try self.init(tensors: tensors, metadata: metadata)
  }

  /// The encoded header's size is a multiple of this, in bytes.
  public static let dataAlignment = 64

  /// The bytes of a file in front of its data: length, JSON, and spaces up to a multiple of ``dataAlignment``.
  /// The same header always gives the same bytes.
  public func encoded() -> [UInt8] {
    var members = tensors.map { tensor in
      "\(quoted(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\","
        + "\"shape\":[\(tensor.shape.map(String.init).joined(separator: ","))],"
        + "\"data_offsets\":[\(tensor.byteRange.lowerBound),\(tensor.byteRange.upperBound)]}"
    }
    if !metadata.isEmpty {
      let entries = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
      members.insert("\"__metadata__\":{\(entries.joined(separator: ","))}", at: 0)
    }
    var json = Array("{\(members.joined(separator: ","))}".utf8)
    let rest = (Self.prefixSize + json.count) % Self.dataAlignment
    if rest > 0 { json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: Self.dataAlignment - rest)) }
    return (0..<Self.prefixSize).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) } + json
  }

  private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\u{0}"..<" ":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
