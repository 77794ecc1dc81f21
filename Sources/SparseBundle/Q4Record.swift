import Checkpoints

/// A row of 4-bit weights: for each group 16 bytes of codes from 0 to 15, then the scales of all groups, then their
/// minima, as binary16, then zeros up to a multiple of 64 bytes. Byte `i` of a group has the code of its weight `i` in
/// the low nibble and that of weight `i + 16` in the high one; `weight = code · scale + minimum`.
enum Q4Record {
  private static let half = WeightGroups.size / 2

  static func size(columns: Int) -> Int {
    WeightGroups.recordSize(holding: WeightGroups.count(columns: columns) * (half + 4))
  }

  /// - Precondition: `record` is zeros.
  static func encode(
    _ row: UnsafePointer<Float>, count: Int, into record: UnsafeMutableRawPointer
  ) throws(UnstorableWeights) {
    let scales = record + WeightGroups.count(columns: count) * half
    let minima = scales + WeightGroups.count(columns: count) * 2
    var codes = Codes()
    var others = Codes()
    for start in stride(from: 0, to: count, by: WeightGroups.size) {
      let weights = UnsafeBufferPointer(start: row + start, count: min(WeightGroups.size, count - start))
      var grid = try Grid(spanning: weights)
      if !codes.choose(weights, grid), let other = Grid(around: weights), others.choose(weights, other) {
        (codes, grid) = (others, other)
      }
      codes.store(at: record + start / 2, count: weights.count)
      scales.storeBytes(of: grid.scaleBits.littleEndian, toByteOffset: start / 16, as: UInt16.self)
      minima.storeBytes(of: grid.minimumBits.littleEndian, toByteOffset: start / 16, as: UInt16.self)
    }
  }

  static func decode(_ record: UnsafeRawPointer, into row: UnsafeMutablePointer<Float>, count: Int) {
    let codes = record.assumingMemoryBound(to: UInt8.self)
    let scales = record + WeightGroups.count(columns: count) * half
    let minima = scales + WeightGroups.count(columns: count) * 2
    for start in stride(from: 0, to: count, by: WeightGroups.size) {
      let scale = FloatBits.float(fromF16: scales.littleEndianHalf(at: start / 16))
      let minimum = FloatBits.float(fromF16: minima.littleEndianHalf(at: start / 16))
      let (group, first) = (codes + start / 2, row + start)
      for i in 0..<min(half, count - start) { first[i] = Float(group[i] & 15) * scale + minimum }
      for i in half..<max(half, min(WeightGroups.size, count - start)) {
        first[i] = Float(group[i - half] >> 4) * scale + minimum
      }
    }
  }

  /// What is wrong with a record that no encoder writes.
  static func fault(_ record: UnsafeRawBufferPointer, columns: Int) -> RecordFault? {
    let groups = WeightGroups.count(columns: columns)
    let codes = groups * half
    for column in columns..<groups * WeightGroups.size {
      let (group, i) = (column / WeightGroups.size, column % WeightGroups.size)
      guard record[group * half + i % half] >> (i < half ? 0 : 4) & 15 == 0 else { return .padding }
    }
    guard record[(codes + 4 * groups)...].allSatisfy({ $0 == 0 }) else { return .padding }
    return record.halvesAreFinite(codes..<codes + 4 * groups) ? nil : .scale
  }

  /// The 16 values that a group's weights are rounded to.
  private struct Grid {
    let scaleBits: UInt16
    let minimumBits: UInt16
    let scale: Float
    let minimum: Float

    /// From the least weight to the greatest.
    init(spanning weights: UnsafeBufferPointer<Float>) throws(UnstorableWeights) {
      var (least, greatest) = (weights[0], weights[0])
      for weight in weights {
        least = weight < least ? weight : least
        greatest = weight > greatest ? weight : greatest
      }
      let minimumBits = FloatBits.f16(from: least)
      let scaleBits = FloatBits.f16(from: (greatest - FloatBits.float(fromF16: minimumBits)) / 15)
      guard FloatBits.isFinite(f16: minimumBits), FloatBits.isFinite(f16: scaleBits) else { throw .outOfRange }
      self.init(scaleBits, minimumBits)
    }

    /// Eight steps to one side of zero and seven to the other, as GGUF's Q4_0 has them: a group of such a file is
    /// kept exactly even if it leaves out the seventh step. `nil` where the weights are not on such a grid.
    init?(around weights: UnsafeBufferPointer<Float>) {
      var extreme = weights[0]
      for weight in weights where weight.magnitude > extreme.magnitude { extreme = weight }
      self.init(FloatBits.f16(from: extreme / -8), FloatBits.f16(from: extreme))
      guard minimum == extreme, scale * -8 == extreme else { return nil }
    }

    private init(_ scaleBits: UInt16, _ minimumBits: UInt16) {
      self.scaleBits = scaleBits
      self.minimumBits = minimumBits
      scale = FloatBits.float(fromF16: scaleBits)
      minimum = FloatBits.float(fromF16: minimumBits)
    }
  }

  /// The codes of one group, a byte each.
  private struct Codes {
    private var values = SIMD32<UInt8>()

    /// The nearest codes; returns whether they stand for exactly these weights.
    @inline(__always)
    mutating func choose(_ weights: UnsafeBufferPointer<Float>, _ grid: Grid) -> Bool {
      var inexact: UInt32 = 0
      let (scale, minimum) = (grid.scale, grid.minimum)
      withUnsafeMutableBytes(of: &values) { codes in
        for i in weights.indices {
          let code = nearestInteger(scale == 0 ? 0 : (weights[i] - minimum) / scale, 0, 15)
          codes[i] = code.bits
          inexact |= code.value * scale + minimum == weights[i] ? 0 : 1
        }
      }
      return inexact == 0
    }

    /// Writes 16 bytes; codes from `count` on are zeros.
    @inline(__always)
    func store(at bytes: UnsafeMutableRawPointer, count: Int) {
      var values = values
      for i in count..<WeightGroups.size { values[i] = 0 }
      bytes.storeBytes(of: values.lowHalf | values.highHalf &<< 4, as: SIMD16<UInt8>.self)
    }
  }
}
