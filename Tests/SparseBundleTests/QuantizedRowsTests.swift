import Checkpoints
import LinearAlgebra
import TestSupport
import Testing

@testable import SparseBundle

/// Beside numpy, bit for bit: `Fixtures/make_quantization_oracle.py`.
struct QuantizedRowsTests {
  private static let types: [RowFormat] = [.int8, .q4]
  private static let oracle = "quantization.safetensors"

  private static var cases: [String] {
    let names = (try? SharedFixtures.safetensors(oracle))?.header.tensors.map(\.name) ?? []
    return names.filter { $0.hasSuffix(".weights") }.map { String($0.dropLast(".weights".count)) }
  }

  @Test(arguments: cases, types + [.highNibbles, .lowNibbles, .highBytes, .lowBytes])
  func recordsAreThoseOfNumpy(_ name: String, type: RowFormat) throws {
    let file = try SharedFixtures.safetensors(Self.oracle)
    let weights = try matrix(file, name)
    guard let expected = file.withBytes(of: "\(name).\(type.numpyName)", { Array($0) }) else {
      #expect(throws: UnstorableWeights.outOfRange) { try type.encode(weights) }
      return
    }
    #expect(try type.encode(weights) == expected)
  }

  @Test(arguments: cases, [RowFormat.highNibbles, .highBytes])
  func highPlanesStandForWhatNumpySays(_ name: String, type: RowFormat) throws {
    let file = try SharedFixtures.safetensors(Self.oracle)
    let (weights, expected) = (try matrix(file, name), "\(name).\(type.numpyName).values")
    guard file.header.tensor(named: expected) != nil else {
      #expect(throws: UnstorableWeights.outOfRange) { try type.round(weights) }
      return
    }
    try type.round(weights)
    #expect(try weights.values == file.values(of: expected))
  }

  @Test(arguments: cases)
  func activationsAreRoundedAsNumpyDoes(_ name: String) throws {
    let file = try SharedFixtures.safetensors(Self.oracle)
    let x = try matrix(file, name)
    for row in 0..<x.rows { ActivationRounding.round(x.row(row), count: x.columns) }
    #expect(try x.values == file.values(of: "\(name).activations"))
  }

  @Test func thereAreCases() { #expect(Self.cases.count > 10) }

  @Test(arguments: ["exact_int8", "exact_q4_1", "exact_q4_0_full", "exact_q4_0_short"])
  func valuesOfGGUFFilesAreKept(_ name: String) throws {
    let weights = try matrix(SharedFixtures.safetensors(Self.oracle), name)
    let before = weights.values
    try (name == "exact_int8" ? RowFormat.int8 : .q4).round(weights)
    #expect(weights.values == before)
  }

  /// Rounding is encoding and decoding, and what was rounded stays where it is.
  @Test(arguments: cases.filter { $0 != "only_int8" && $0 != "tiny" }, types)
  func roundedValuesAreKept(_ name: String, type: RowFormat) throws {
    let weights = try matrix(SharedFixtures.safetensors(Self.oracle), name)
    let records = try type.encode(weights)
    try type.round(weights)
    let decoded = Matrix(rows: weights.rows, columns: weights.columns)
    type.decode(records, into: decoded)
    #expect(decoded.values == weights.values)

    let once = weights.values
    try type.round(weights)
    let step = once.map(\.magnitude).max() ?? 0
    // A grid whose ends are not taken is not found again exactly.
    #expect(zip(weights.values, once).allSatisfy { ($0 - $1).magnitude <= step / 1000 })
  }

  @Test(arguments: types, [Float.nan, .infinity, -.infinity])
  func weightThatIsNoNumberIsRefused(_ type: RowFormat, weight: Float) {
    for column in [0, 31, 32, 39] {
      let matrix = Matrix(rows: 2, columns: 40)
      matrix[1, column] = weight
      #expect(throws: UnstorableWeights.notFinite) { try type.encode(matrix) }
    }
  }

  @Test(arguments: RowFormat.allCases, [0, 1, 5, 32, 33])
  func rowsBeyondTheTypesRangeAreRefused(_ type: RowFormat, columns: Int) throws {
    let matrix = Matrix(rows: 1, columns: columns)
    #expect(try type.encode(matrix).count == type.rowBytes(columns: columns))
    guard type != .f32, columns > 0 else { return }
    matrix[0, columns - 1] = -.greatestFiniteMagnitude
    #expect(throws: UnstorableWeights.outOfRange) { try type.encode(matrix) }
  }

  @Test(arguments: types)
  func recordsFillCacheLines(_ type: RowFormat) {
    #expect(type.rowBytes(columns: 576) == (type == .int8 ? 640 : 384))
    for columns in 1...300 { #expect(type.rowBytes(columns: columns).isMultiple(of: 64)) }
  }

  private func matrix(_ file: SafetensorsFile, _ name: String) throws -> Matrix {
    let shape = try #require(file.header.tensor(named: "\(name).weights")).shape
    return Matrix(rows: shape[0], columns: shape[1], values: try file.values(of: "\(name).weights"))
  }
}

extension RowFormat {
  /// What the oracle calls it: `high_nibbles`.
  fileprivate var numpyName: String {
    "\(self)".replacing("Nibbles", with: "_nibbles").replacing("Bytes", with: "_bytes")
  }
}
