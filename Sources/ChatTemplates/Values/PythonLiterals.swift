/// Numbers and strings as Python writes them.
extension Double {
  /// The shortest digits that read back as the same number, with an exponent from 1e16 on and below 1e-4.
  var pythonText: String {
    guard isFinite else { return isNaN ? "nan" : self < 0 ? "-inf" : "inf" }
    guard self != 0 else { return sign == .minus ? "-0.0" : "0.0" }
    // Swift's digits are the shortest, too; only their layout differs.
    let parts = magnitude.description.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let whole = mantissa[0]
    let fraction = mantissa.count > 1 ? mantissa[1] : ""
    let all = (whole + fraction).drop { $0 == "0" }
    var digits = String(all)
    while digits.last == "0" { digits.removeLast() }
    let leadingZeros = whole.count + fraction.count - all.count
    // The value is 0.digits × 10^point.
    let point = whole.count - leadingZeros + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    let minus = self < 0 ? "-" : ""
    func zeros(_ count: Int) -> String { String(repeating: "0", count: count) }
    switch point {
    case -3...0: return minus + "0." + zeros(-point) + digits
    case 1...16 where point >= digits.count: return minus + digits + zeros(point - digits.count) + ".0"
    case 1...16: return minus + digits.prefix(point) + "." + digits.dropFirst(point)
    default:
      let exponent = point - 1
      let tail = digits.count > 1 ? "." + digits.dropFirst() : ""
      let power = (exponent.magnitude < 10 ? "0" : "") + "\(exponent.magnitude)"
      return minus + digits.prefix(1) + tail + "e" + (exponent < 0 ? "-" : "+") + power
    }
  }
}

extension String {
  /// Python's `repr`: in single quotes, unless it has single quotes and no double ones.
  var pythonLiteral: String {
    let quote: Unicode.Scalar = utf8.contains(UInt8(ascii: "'")) && !utf8.contains(UInt8(ascii: "\"")) ? "\"" : "'"
    var literal = String(quote)
    for scalar in unicodeScalars {
      switch scalar {
      case quote, "\\": literal += "\\" + String(scalar)
      case "\n": literal += "\\n"
      case "\r": literal += "\\r"
      case "\t": literal += "\\t"
      case _ where scalar.isPrintable: literal.unicodeScalars.append(scalar)
      case _ where scalar.value < 0x100: literal += "\\x" + scalar.hexadecimal(digits: 2)
      case _ where scalar.value < 0x10000: literal += "\\u" + scalar.hexadecimal(digits: 4)
      default: literal += "\\U" + scalar.hexadecimal(digits: 8)
      }
    }
    return literal + String(quote)
  }
}

extension Unicode.Scalar {
  fileprivate func hexadecimal(digits: Int) -> String { value.hexadecimal(digits: digits) }

  fileprivate var isPrintable: Bool {
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    case .spaceSeparator: self == " "
    default: true
    }
  }
}

extension BinaryInteger {
  /// With leading zeros.
  func hexadecimal(digits: Int) -> String {
    let text = String(self, radix: 16)
    return String(repeating: "0", count: digits - text.count) + text
  }
}
