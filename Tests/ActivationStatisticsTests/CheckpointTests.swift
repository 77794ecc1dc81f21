import Files
import Foundation
import TestSupport
import Testing
import Transformer

@testable import ActivationStatistics

struct CheckpointTests {
  let folder = TemporaryFolder()

  /// A run that dies after `died` layers, with hidden states stored before layer `stored`.
  @Test(arguments: [(0, 0), (1, 1), (2, 1), (2, 2), (3, 2)])
  func resumedRunEndsWithTheBytesOfAnUninterruptedOne(died: Int, stored: Int) throws {
    let collection = try Collection(sinkPositions: 4)
    try collection.collect(0..<16, threads: 1, to: folder.path("whole.h5"))

    let path = folder.path("resumed.h5")
    let records = try collectStatistics(collection.weights, collection.sequences, sinkPositions: 4)
    let pass = ForwardPass(collection.weights.configuration, longest: 64, threads: 2)
    try withCheckpoint(collection.description(0..<16), path, .never) { first in
      let states = try pass.embed(collection.sequences, collection.weights)
      for layer in 0..<died {
        if layer == stored { try first.store(states, before: layer) }
        try pass.run(collection.weights.layer(layer), index: layer, states, tap: DenseTap())
        try first.store(records[layer], layer: layer)
      }
    }

    try withCheckpoint(collection.description(0..<16), path, .always) { second in
      try resume(second, collection, pass, died: died, stored: stored)
    }
    #expect(try bytes(ofFile: path) == bytes(ofFile: folder.path("whole.h5")))
    #expect(folder.entries == ["resumed.h5", "whole.h5"])
  }

  private func resume(
    _ second: StatisticsCheckpoint, _ collection: Collection, _ pass: ForwardPass, died: Int, stored: Int
  ) throws {
    #expect(second.nextLayer == died)
    let resumed = try pass.embed(collection.sequences, collection.weights)
    let start = try second.restore(resumed) ?? 0
    #expect(start == (stored < died ? stored : 0))
    let c = collection.weights.configuration
    let widths = LayerWidths(hidden: c.hiddenSize, query: c.queryWidth, intermediate: c.intermediateSize)
    for layer in start..<c.layerCount {
      let collector = StatisticsCollector(widths, sinkPositions: 4, workers: 2)
      try pass.run(collection.weights.layer(layer), index: layer, resumed, tap: collector)
      if layer >= second.nextLayer { try second.store(collector.finish(layer: layer), layer: layer) }
    }
    try second.finish()
  }

  /// Nobody else may have the checkpoint meanwhile.
  private func withCheckpoint(
    _ description: StatisticsDescription, _ path: String, _ resuming: StatisticsCheckpoint.Resumption,
    _ body: (StatisticsCheckpoint) throws -> Void = { _ in }
  ) throws {
    try body(StatisticsCheckpoint(of: description, for: path, resuming: resuming))
  }

  @Test func twoCollectionsOfOneFileAreRefused() throws {
    let path = folder.path("s.h5")
    try withCheckpoint(SmallStatistics.description(), path, .never) { _ in
      let error = #expect(throws: FileError.self) {
        try withCheckpoint(SmallStatistics.description(), path, .always)
      }
      #expect(error?.description.contains("process \(ProcessInfo.processInfo.processIdentifier) ") == true)
    }
    try withCheckpoint(SmallStatistics.description(), path, .always)
  }

  /// Neither gone on from nor deleted, where nobody says which.
  @Test func unfinishedWorkIsNotTouchedUnasked() throws {
    let path = folder.path("s.h5")
    try withCheckpoint(SmallStatistics.description(), path, .onlyIfAsked) {
      try $0.store(SmallStatistics.record(seed: 1), layer: 0)
    }
    for description in [SmallStatistics.description(), SmallStatistics.description(modelHash: "n")] {
      #expect(throws: StatisticsError.unfinished(path: path + ".partial")) {
        try withCheckpoint(description, path, .onlyIfAsked)
      }
    }
    try withCheckpoint(SmallStatistics.description(), path, .always) { #expect($0.nextLayer == 1) }
  }

  @Test func laterStatesReplaceEarlierOnes() throws {
    let checkpoint = try StatisticsCheckpoint(
      of: SmallStatistics.description(), for: folder.path("s.h5"), resuming: .never)
    let states = try HiddenStates(lengths: [2], width: 3)
    #expect(try checkpoint.restore(states) == nil)
    for layer in [0, 1] {
      try checkpoint.store(SmallStatistics.record(seed: 1), layer: layer)
      try checkpoint.store(states, before: layer + 1)
    }
    #expect(try checkpoint.restore(states) == 2)
  }

  /// The layer in front of them would never be collected.
  @Test func statesBeyondTheFinishedLayersAreNotUsed() throws {
    let checkpoint = try StatisticsCheckpoint(
      of: SmallStatistics.description(), for: folder.path("s.h5"), resuming: .never)
    let states = try HiddenStates(lengths: [2], width: 3)
    try checkpoint.store(states, before: 1)
    #expect(try checkpoint.restore(states) == nil)
    try checkpoint.store(SmallStatistics.record(seed: 1), layer: 0)
    #expect(try checkpoint.restore(states) == 1)
    // While a layer is being written, those behind it do not take the place of those before it.
    try checkpoint.store(states, before: 2)
    #expect(try checkpoint.restore(states) == 1)
    try checkpoint.store(SmallStatistics.record(seed: 2), layer: 1)
    #expect(try checkpoint.restore(states) == 2)
  }

  @Test func checkpointOfSomethingElseIsRefused() throws {
    let path = folder.path("s.h5")
    try withCheckpoint(SmallStatistics.description(), path, .never)
    #expect(throws: StatisticsError.otherCheckpoint(path: path + ".partial")) {
      try StatisticsCheckpoint(of: SmallStatistics.description(modelHash: "n"), for: path, resuming: .always)
    }
    try writeAtomically("{".utf8, to: path + ".partial/description.json")
    #expect(throws: StatisticsError.otherCheckpoint(path: path + ".partial")) {
      try StatisticsCheckpoint(of: SmallStatistics.description(), for: path, resuming: .always)
    }
  }

  @Test func startingAfreshForgetsWhatWasThere() throws {
    let path = folder.path("s.h5")
    try withCheckpoint(SmallStatistics.description(), path, .never) { first in
      try first.store(SmallStatistics.record(seed: 1), layer: 0)
      #expect(first.nextLayer == 1)
    }
    try withCheckpoint(SmallStatistics.description(), path, .never) { #expect($0.nextLayer == 0) }
  }

  @Test func sumsTooLargeToStoreAreAnError() throws {
    let checkpoint = try StatisticsCheckpoint(
      of: SmallStatistics.description(), for: folder.path("s.h5"), resuming: .never)
    var record = SmallStatistics.record(seed: 1)
    record.sinks.up.energy.units[0] = ExactSums.limit + 1
    #expect(throws: StatisticsError.sumsTooLarge(layer: 1)) { try checkpoint.store(record, layer: 1) }
  }
}
