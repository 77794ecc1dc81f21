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
      let high = try decoded(.highNibbles, encoded(.high, matrix, row), columns)
      let both = try decoded(.lowNibbles, encoded(.low, matrix, row), completing: high)
      #expect(both.map(\.bitPattern) == int8[row].map(\.bitPattern) && high != both)
    }
  }

  /// By the definition: codes that agree in their upper four bits become the middle of all sixteen.
  @Test func highPlaneIsTheMiddleOfItsCodes() throws {
    let matrix = Matrix(rows: 1, columns: 32)
    for column in 0..<32 { matrix[0, column] = Float(column * 8 - 127) }  // the greatest magnitude is 127: scale 1
    let high = try decoded(.highNibbles, encoded(.high, matrix, 0), 32)
    let expected = (0..<32).map { column in
      let code = column * 8 - 127
      let lowest = Int((Double(code) / 16).rounded(.down)) * 16
      return Float(lowest) + 7.5
    }
    #expect(high == expected)
  }

  @Test func recordsHaveNoPadding() {
    #expect(NibblePlaneRecord.size(columns: 576) == 324)
    #expect(NibblePlaneRecord.size(columns: 33) == 36)
  }

  @Test func whatNoEncoderWritesIsNoticed() throws {
    let columns = 40
    let (matrix, _) = try someWeights(columns)
    let (high, low) = (try encoded(.high, matrix, 0), try encoded(.low, matrix, 0))
    func fault(_ high: [UInt8], _ low: [UInt8]) -> RecordFault? {
      high.withUnsafeBytes { high in
        low.withUnsafeBytes { NibblePlaneRecord.fault(high: high, low: $0, columns: columns) }
      }
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

  /// Every half that is finite, among them both zeros: beside Swift's own.
  @Test func bytesAreThoseOfHalves() throws {
    let halves = (0...UInt16.max).map { Float16(bitPattern: $0) }.filter(\.isFinite)
    let matrix = Matrix(rows: 1, columns: halves.count, values: halves.map { Float($0) })
    let (high, low) = (try RowFormat.highBytes.encode(matrix), try RowFormat.lowBytes.encode(matrix))
    #expect(zip(high, low).map { UInt16($0) << 8 | UInt16($1) } == halves.map(\.bitPattern))
    let alone = decoded(.highBytes, high, halves.count)
    #expect(alone == halves.map { Float(Float16(bitPattern: $0.bitPattern & 0xFF00 | 128)) })
    let both = decoded(.lowBytes, low, completing: alone)
    #expect(both.map(\.bitPattern) == halves.map { Float($0).bitPattern })
    #expect(high.withUnsafeBytes(BytePlaneRow.fault) == nil)
    #expect(
      [0, 0x7F].withUnsafeBytes(BytePlaneRow.fault) == .weight && [0x7C].withUnsafeBytes(BytePlaneRow.fault) != nil)
  }

  @Test func weightsBeyondHalvesAreNotStored() {
    for (value, problem) in [(Float(65520), UnstorableWeights.outOfRange), (.nan, .notFinite)] {
      let matrix = Matrix(rows: 1, columns: 2, values: [1, value])
      for format in [RowFormat.highBytes, .lowBytes] {
        #expect(throws: problem) { try format.encode(matrix) }
      }
    }
  }

  @Test(arguments: TinyModel.allCases, PlaneFormat.allCases)
  func weightsOfBothPlanesAreTheUnsplitOnes(_ model: TinyModel, _ format: PlaneFormat) throws {
    let source = try Checkpoint.open(model.folder).weights
    let both = PlaneWeights(source, format)
    let high = try #require(both.highPlanes)
    #expect(high.highPlanes == nil && source.highPlanes == nil)
    let whole = RoundedWeights(source, format.unsplit)
    for index in 0..<source.configuration.layerCount {
      let (layer, coarse, unsplit) = (try both.layer(index), try high.layer(index), try whole.layer(index))
      #expect(layer.gate.values == unsplit.gate.values && layer.down.values == unsplit.down.values)
      #expect(layer.query.values == unsplit.query.values && layer.output.values == unsplit.output.values)
      #expect(coarse.gate.values != layer.gate.values && coarse.attentionNorm == layer.attentionNorm)
      let (error, size) = zip(coarse.up.values, layer.up.values).reduce((Float(0), Float(0))) { sums, pair in
        (sums.0 + (pair.0 - pair.1) * (pair.0 - pair.1), sums.1 + pair.1 * pair.1)
      }
      #expect(error > 0 && error < size / 20)
    }
    #expect(try both.outputHead().values == whole.outputHead().values)
  }

  private func someWeights(_ columns: Int) throws -> (matrix: Matrix, int8: [[Float]]) {
    let matrix = Matrix(rows: 3, columns: columns)
    for i in 0..<matrix.count { matrix.base[i] = Float((i * 7919 + columns * 31) % 601 - 300) / 97 }
    let rounded = matrix.copy()
    try RowFormat.int8.round(rounded)
    return (matrix, (0..<3).map { row in (0..<columns).map { rounded[row, $0] } })
  }

  private func encoded(_ plane: WeightPlane, _ matrix: Matrix, _ row: Int) throws -> [UInt8] {
    var record = [UInt8](repeating: 0, count: NibblePlaneRecord.size(columns: matrix.columns))
    try record.withUnsafeMutableBytes {
      try NibblePlaneRecord.encode(plane, matrix.row(row), count: matrix.columns, into: #require($0.baseAddress))
    }
    return record
  }

  private func decoded(_ format: RowFormat, _ bytes: [UInt8], _ columns: Int) -> [Float] {
    decoded(format, bytes, completing: [Float](repeating: .nan, count: columns))
  }

  private func decoded(_ format: RowFormat, _ bytes: [UInt8], completing values: [Float]) -> [Float] {
    let matrix = Matrix(rows: 1, columns: values.count, values: values)
    format.decode(bytes, into: matrix)
    return matrix.values
  }
}
