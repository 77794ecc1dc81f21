import Foundation

/// The time that a template's `strftime_now` tells, from outside so that a prompt can be made twice.
public struct TemplateClock: Sendable {
  private let fields: DateComponents

  /// - Parameter timeZone: whose date and time it is.
  public init(_ date: Date, in timeZone: TimeZone = .current) {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = timeZone
    fields = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second, .weekday, .dayOfYear], from: date)
  }

  /// The time in the words of C's `strftime`, in English; nil with a directive that is not known.
  func text(_ format: String) -> String? {
    var text = ""
    var rest = format.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      guard scalar == "%" else {
        text.unicodeScalars.append(scalar)
        continue
      }
      var directive = rest.popFirst()
      // glibc's `%-d` leaves out leading zeros.
      let isPadded = directive != "-"
      if !isPadded { directive = rest.popFirst() }
      guard let directive, let field = field(directive, isPadded: isPadded) else { return nil }
      text += field
    }
    return text
  }

  private func field(_ directive: Unicode.Scalar, isPadded: Bool) -> String? {
    func padded(_ value: Int?, _ digits: Int = 2) -> String {
      let text = "\(value ?? 0)"
      return isPadded ? String(repeating: "0", count: max(0, digits - text.count)) + text : text
    }
    let hour = fields.hour ?? 0
    switch directive {
    case "a": return String(weekday.prefix(3))
    case "A": return weekday
    case "b": return String(month.prefix(3))
    case "B": return month
    case "d": return padded(fields.day)
    case "H": return padded(hour)
    case "I": return padded(hour % 12 == 0 ? 12 : hour % 12)
    case "j": return padded(fields.dayOfYear, 3)
    case "m": return padded(fields.month)
    case "M": return padded(fields.minute)
    case "p": return hour < 12 ? "AM" : "PM"
    case "S": return padded(fields.second)
    case "y": return padded((fields.year ?? 0) % 100)
    case "Y": return "\(fields.year ?? 0)"
    case "F": return text("%Y-%m-%d")
    case "T": return text("%H:%M:%S")
    case "R": return text("%H:%M")
    case "%": return "%"
    default: return nil
    }
  }

  private var weekday: String { Self.weekdays[(fields.weekday ?? 1) - 1] }
  private var month: String { Self.months[(fields.month ?? 1) - 1] }

  private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]
}
