import SparseKernels

/// One row as bundles store it in 8 or 4 bits, written and read by the letter of the format.
struct QuantisedRow {
  let bytes: [UInt8]
  /// Of each column: code · scale.
  let products: [Double]
  /// Of each column; none for 8 bits.
  let minima: [Double]

  init(_ values: [Float], isFourBit: Bool) {
    var codes: [UInt8] = []
    var scales: [Float16] = []
    var minima: [Float16] = []
    var products: [Double] = []
    for start in stride(from: 0, to: values.count, by: 32) {
      let group = values[start..<min(start + 32, values.count)]
      let (low, high) = (group.min() ?? 0, group.max() ?? 0)
      let minimum = isFourBit ? Float16(low) : 0
      let scale = isFourBit ? Float16((high - Float(minimum)) / 15) : Float16(max(-low, high) / 127)
      let limits = isFourBit ? Float(0)...15 : -127...127
      let found = group.map { value -> Int in
        guard scale != 0 else { return 0 }
        let code = ((value - Float(minimum)) / Float(scale)).rounded(.toNearestOrEven)
        return Int(min(max(code, limits.lowerBound), limits.upperBound))
      }
      products += found.map { Double($0) * Double(scale) }
      let padded = found + Array(repeating: 0, count: 32 - found.count)
      codes +=
        isFourBit
        ? (0..<16).map { UInt8(padded[$0] | padded[$0 + 16] << 4) }
        : padded.map { UInt8(bitPattern: Int8($0)) }
      scales.append(scale)
      minima.append(minimum)
    }
    let halves = (scales + (isFourBit ? minima : [])).map(\.bitPattern)
    let record = codes + halves.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    bytes = record + Array(repeating: 0, count: (64 - record.count % 64) % 64)
    self.products = products
    self.minima = isFourBit ? values.indices.map { Double(minima[$0 / 32]) } : []
  }
}
