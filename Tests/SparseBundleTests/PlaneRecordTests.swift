import Checkpoints
import LinearAlgebra
import TestSupport
import Testing

@testable import SparseBundle

/// Planes beside the unsplit 8-bit records, which are numpy's.
struct PlaneRecordTests {
  @Test(arguments: [1, 15, 16, 17, 31, 32, 33, 64, 100])
  func planesAddUpToTheUnsplitWeights(_ columns: Int) throws {
    let (matrix, int8) = try someWeights(columns)
    for row in 0..<matrix.rows {
      var values: [WeightPlane: [Float]] = [:]
      for plane in WeightPlane.allCases {
        values[plane] = decoded(plane, try encoded(plane, matrix, row), columns)
      }
      let (high, low) = (try #require(values[.high]), try #require(values[.low]))
      #expect(zip(high, low).map { ($0 + $1).bitPattern } == int8[row].map(\.bitPattern))
    }
  }

  /// By the definition: codes that agree in their upper four bits become the middle of all sixteen.
  @Test func highPlaneIsTheMiddleOfItsCodes() throws {
    let matrix = Matrix(rows: 1, columns: 32)
    for column in 0..<32 { matrix[0, column] = Float(column * 8 - 127) }  // the greatest magnitude is 127: scale 1
    let high = decoded(.high, try encoded(.high, matrix, 0), 32)
    let expected = (0..<32).map { column in
      let code = column * 8 - 127
      let lowest = Int((Double(code) / 16).rounded(.down)) * 16
      return Float(lowest) + 7.5
    }
    #expect(high == expected)
  }

  @Test func recordsHaveNoPadding() {
    #expect(PlaneRecord.size(columns: 576) == 324)
    #expect(PlaneRecord.size(columns: 33) == 36)
  }

  @Test func whatNoEncoderWritesIsNoticed() throws {
    let columns = 40
    let (matrix, _) = try someWeights(columns)
    let (high, low) = (try encoded(.high, matrix, 0), try encoded(.low, matrix, 0))
    func fault(_ high: [UInt8], _ low: [UInt8]) -> RecordFault? {
      high.withUnsafeBytes { high in low.withUnsafeBytes { PlaneRecord.fault(high: high, low: $0, columns: columns) } }
    }
    func changed(_ record: [UInt8], _ index: Int, _ value: UInt8) -> [UInt8] {
      var record = record
      record[index] = value
      return record
    }
    #expect(fault(high, low) == nil)
    #expect(fault(high, changed(low, 24, 1)) == .padding)  // weight 48 is behind the last one
    #expect(fault(changed(high, 0, high[0] & 0xF0), changed(low, 0, low[0] & 0xF0)) == .code)
    #expect(fault(high, changed(low, 32, low[32] ^ 1)) == .planes)
    let infinite: [UInt8] = [0, 0x7C]
    func infinity(_ record: [UInt8]) -> [UInt8] { record[..<32] + infinite + record[34...] }
    #expect(fault(infinity(high), infinity(low)) == .scale)
  }

  @Test(arguments: TinyModel.allCases)
  func weightsOfBothPlanesAreThoseOfInt8(_ model: TinyModel) throws {
    let source = try Checkpoint.open(model.folder).weights
    let both = PlaneWeights(source)
    let high = try #require(both.highPlanes)
    #expect(high.highPlanes == nil && source.highPlanes == nil)
    let int8 = RoundedWeights(source, .int8)
    for index in 0..<source.configuration.layerCount {
      let (layer, coarse, unsplit) = (try both.layer(index), try high.layer(index), try int8.layer(index))
      #expect(layer.gate.values == unsplit.gate.values && layer.down.values == unsplit.down.values)
      #expect(layer.query.values == unsplit.query.values && layer.output.values == unsplit.output.values)
      #expect(coarse.gate.values != layer.gate.values && coarse.attentionNorm == layer.attentionNorm)
      let (error, size) = zip(coarse.up.values, layer.up.values).reduce((Float(0), Float(0))) { sums, pair in
        (sums.0 + (pair.0 - pair.1) * (pair.0 - pair.1), sums.1 + pair.1 * pair.1)
      }
      #expect(error > 0 && error < size / 20)
    }
    #expect(try both.outputHead().values == int8.outputHead().values)
  }

  private func someWeights(_ columns: Int) throws -> (matrix: Matrix, int8: [[Float]]) {
    let matrix = Matrix(rows: 3, columns: columns)
    for i in 0..<matrix.count { matrix.base[i] = Float((i * 7919 + columns * 31) % 601 - 300) / 97 }
    let rounded = matrix.copy()
    try RowFormat.int8.round(rounded)
    return (matrix, (0..<3).map { row in (0..<columns).map { rounded[row, $0] } })
  }

  private func encoded(_ plane: WeightPlane, _ matrix: Matrix, _ row: Int) throws -> [UInt8] {
    var record = [UInt8](repeating: 0, count: PlaneRecord.size(columns: matrix.columns))
    try record.withUnsafeMutableBytes {
      try PlaneRecord.encode(plane, matrix.row(row), count: matrix.columns, into: #require($0.baseAddress))
    }
    return record
  }

  private func decoded(_ plane: WeightPlane, _ record: [UInt8], _ columns: Int) -> [Float] {
    var values = [Float](repeating: 0, count: columns)
    record.withUnsafeBytes { record in
      guard let base = record.baseAddress else { return }
      PlaneRecord.decode(plane, base, into: &values, count: columns)
    }
    return values
  }
}
