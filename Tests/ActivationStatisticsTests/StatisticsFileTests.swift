import Checkpoints
import Files
import HDF5
import TestSupport
import Testing
import Transformer

@testable import ActivationStatistics

struct StatisticsFileTests {
  let folder = TemporaryFolder()

  @Test(arguments: [[0..<10], [1..<2, 4..<9]], [GateActivation.silu, .geluTanh])
  func whatWasWrittenIsReadBack(coverage: [Range<Int>], activation: GateActivation) throws {
    let description = SmallStatistics.description(coverage: coverage, activation: activation)
    let records = try SmallStatistics.write(description, to: folder.path("s.h5"))
    let file = try StatisticsFile(path: folder.path("s.h5"))
    #expect(file.description == description)
    for (layer, record) in records.enumerated() { #expect(try file.layer(layer) == record) }
    #expect(folder.entries == ["s.h5"])
  }

  @Test func scoresAreReadBackAndMergedExactly() throws {
    var records: [[LayerRecord]] = []
    for (index, range) in [0..<4, 4..<10].enumerated() {
      let description = SmallStatistics.description(coverage: [range], scores: .int8)
      records.append(try SmallStatistics.write(description, to: folder.path("\(index).h5")))
      let file = try StatisticsFile(path: folder.path("\(index).h5"))
      #expect(file.description.scores == .int8 && file.description == description)
      #expect(try file.layer(1) == records[index][1] && records[index][1].regular.scores != nil)
    }
    try StatisticsFile.merge([folder.path("0.h5"), folder.path("1.h5")], to: folder.path("all.h5"))
    let merged = try StatisticsFile(path: folder.path("all.h5"))
    for layer in 0..<2 {
      var sum = records[0][layer]
      sum += records[1][layer]
      #expect(try merged.layer(layer) == sum)
    }

    _ = try SmallStatistics.write(SmallStatistics.description(coverage: [4..<10]), to: folder.path("plain.h5"))
    #expect(throws: StatisticsError.self) {
      try StatisticsFile.merge([folder.path("0.h5"), folder.path("plain.h5")], to: folder.path("none.h5"))
    }
  }

  /// Those of the corpus' first part, in whatever order parts are given; others are of another collection.
  @Test func offsetsAreReadBackAndMustAgree() throws {
    func write(_ name: String, _ range: Range<Int>, _ offsets: PlaneOffsets?) throws -> String {
      let description = SmallStatistics.description(coverage: [range], scores: .int8)
      let path = folder.path(name)
      _ = try SmallStatistics.write(description, to: path, offsets: offsets)
      #expect(try StatisticsFile(path: path).layer(1).offsets == offsets)
      return path
    }
    let channels = SmallStatistics.description().intermediateSize
    let up = [Float](repeating: 0.5, count: channels)
    let offsets = PlaneOffsets(gate: (0..<channels).map { Float($0) - 1 }, up: up)
    let rounded = PlaneOffsets(gate: offsets.gate.map { $0 * 1.00001 }, up: up)
    let first = try write("0.h5", 0..<4, offsets)
    for order in [[first, try write("1.h5", 4..<10, rounded)], [folder.path("1.h5"), first]] {
      try StatisticsFile.merge(order, to: folder.path("all.h5"))
      #expect(try StatisticsFile(path: folder.path("all.h5")).layer(1).offsets == offsets)
    }
    let other = PlaneOffsets(gate: offsets.gate.map { $0 * 1.1 }, up: up)
    for unlike in [other, PlaneOffsets(gate: up, up: offsets.gate), nil] {
      let second = try write("2.h5", 4..<10, unlike)
      #expect(throws: StatisticsError.otherCollection(second, first, difference: "set of offsets")) {
        try StatisticsFile.merge([second, first], to: folder.path("none.h5"))
      }
    }
    let infinite = PlaneOffsets(gate: up, up: [.infinity] + up.dropFirst())
    #expect(throws: StatisticsError.self) { try write("3.h5", 0..<4, infinite) }
  }

  @Test func layerThatIsNotThereIsAnError() throws {
    _ = try SmallStatistics.write(to: folder.path("s.h5"))
    let file = try StatisticsFile(path: folder.path("s.h5"))
    #expect(throws: HDF5Error.self) { try file.layer(2) }
  }

  /// Every array says what its numbers are.
  @Test func everyArrayHasUnits() throws {
    _ = try SmallStatistics.write(to: folder.path("s.h5"))
    var arrays = 0
    func visit(_ group: HDF5Group) throws {
      for name in try group.children() {
        if case .group = try group.kind(of: name) {
          try visit(group.group(name))
        } else {
          arrays += 1
          #expect(try group.dataset(name).attributes.exists("units"))
        }
      }
    }
    try visit(HDF5File(reading: folder.path("s.h5")).root)
    #expect(arrays > 2 * 2 * 14)
  }

  @Test func truncatedFileIsAnError() throws {
    _ = try SmallStatistics.write(to: folder.path("s.h5"))
    let whole = try bytes(ofFile: folder.path("s.h5"))
    for count in [0, 1, 8, 96, 1000, whole.count / 2, whole.count - 1] {
      try writeAtomically(whole.prefix(count), to: folder.path("short.h5"))
      #expect(throws: HDF5Error.self) { try readAll(folder.path("short.h5")) }
    }
  }

  @Test(arguments: [
    "format", "version", "model_name", "gate_activation", "layer_count", "hidden_size", "sequence_length",
    "sequence_count", "sink_positions",
  ])
  func wrongAttributeIsAnError(name: String) throws {
    for value in [Int64.min, -1, 1 << 31, 1 << 40, Int64.max] {
      try change { try $0.attributes.write(value, to: name) }
      #expect(throws: (any Error).self) { try readAll(folder.path("changed.h5")) }
    }
    try change { try $0.attributes.write("?", to: name) }
    if name != "model_name" { #expect(throws: (any Error).self) { try readAll(folder.path("changed.h5")) } }
  }

  @Test(arguments: ["hidden_size", "query_width", "intermediate_size", "layer_count"])
  func hugeButAllowedSizeIsAnErrorWithoutHugeMemory(name: String) throws {
    try change { try $0.attributes.write(Int64(1 << 31 - 1), to: name) }
    #expect(throws: (any Error).self) { try readAll(folder.path("changed.h5")) }
    #expect(throws: (any Error).self) {
      try StatisticsFile.merge([folder.path("changed.h5")], to: folder.path("merged.h5"))
    }
  }

  @Test func histogramOfNegativeCountsIsAnError() throws {
    let damaged = SmallStatistics.record(seed: 1)
    for count: Int64 in [-1, 1 << 40] {
      var record = damaged
      record.regular.productCount[3] = count
      let path = folder.path("s.h5")
      let checkpoint = try StatisticsCheckpoint(of: SmallStatistics.description(), for: path, resuming: .never)
      for layer in 0..<2 { try checkpoint.store(record, layer: layer) }
      try checkpoint.finish()
      #expect(throws: StatisticsError.self) { try readAll(path) }
    }
  }

  private func readAll(_ path: String) throws -> [LayerRecord] {
    let file = try StatisticsFile(path: path)
    var records: [LayerRecord] = []  // not by `map`, which takes memory for as many as the file claims
    for layer in 0..<file.description.layerCount { records.append(try file.layer(layer)) }
    return records
  }

  /// Writes `changed.h5`: a good file but for what `change` does to its root.
  private func change(_ change: (HDF5Group) throws -> Void) throws {
    _ = try SmallStatistics.write(to: folder.path("s.h5"))
    let good = try HDF5File(reading: folder.path("s.h5"))
    try writeAtomically(to: folder.path("changed.h5")) { path in
      let file = try HDF5File(creating: path)
      try SmallStatistics.description().write(to: file)
      try file.root.copy("layers", of: good.root, to: "layers")
      try change(file.root)
      try file.flush()
    }
  }
}
