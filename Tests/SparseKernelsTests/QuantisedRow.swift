import SparseKernels

/// One row as bundles store it in 8 or 4 bits or in one plane of 8, written and read by the letter of the format.
struct QuantisedRow {
  let bytes: [UInt8]
  /// Of each column: code · scale, of the high plane 16 · code · scale.
  let products: [Double]
  /// Of each column; none for 8 bits.
  let minima: [Double]

  init(_ values: [Float], _ type: ElementType) {
    let groups = stride(from: 0, to: values.count, by: 32).map {
      Group(Array(values[$0..<min($0 + 32, values.count)]), type)
    }
    let halves = groups.map(\.scale) + (type == .q4 ? groups.map(\.minimum) : [])
    let record =
      groups.flatMap { type == .int8 ? $0.bytes : $0.nibbles }
      + halves.flatMap { [UInt8($0.bitPattern & 255), UInt8($0.bitPattern >> 8)] }
    let isPadded = type == .int8 || type == .q4
    bytes = record + Array(repeating: 0, count: isPadded ? (64 - record.count % 64) % 64 : 0)
    let step = type == .highNibbles ? 16.0 : 1
    products = groups.flatMap { group in group.codes.map { step * Double($0) * Double(group.scale) } }
    minima = groups.flatMap { group in
      let minimum: Double? =
        switch type {
        case .q4: Double(group.minimum)
        case .highNibbles: -120.5 * Double(group.scale)
        case .lowNibbles: -7.5 * Double(group.scale)
        default: nil
        }
      return minimum.map { Array(repeating: $0, count: group.codes.count) } ?? []
    }
  }

  /// Codes that share a scale.
  private struct Group {
    let codes: [Int]
    let scale: Float16
    let minimum: Float16

    init(_ values: [Float], _ type: ElementType) {
      let (low, high) = (values.min() ?? 0, values.max() ?? 0)
      let minimum = type == .q4 ? Float16(low) : 0
      let scale = type == .q4 ? Float16((high - Float(minimum)) / 15) : Float16(max(-low, high) / 127)
      let limits = type == .q4 ? Float(0)...15 : -127...127
      codes = values.map { value in
        let code = scale == 0 ? 0 : ((value - Float(minimum)) / Float(scale)).rounded(.toNearestOrEven)
        let limited = Int(min(max(code, limits.lowerBound), limits.upperBound))
        return switch type {
        case .highNibbles: (limited + 128) / 16
        case .lowNibbles: (limited + 128) % 16
        default: limited
        }
      }
      (self.scale, self.minimum) = (scale, minimum)
    }

    private var padded: [Int] { codes + Array(repeating: 0, count: 32 - codes.count) }
    var bytes: [UInt8] { padded.map { UInt8(bitPattern: Int8($0)) } }
    var nibbles: [UInt8] { (0..<16).map { UInt8(padded[$0] | padded[$0 + 16] << 4) } }
  }
}
