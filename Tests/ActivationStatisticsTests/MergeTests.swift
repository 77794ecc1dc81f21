import TestSupport
import Testing

@testable import ActivationStatistics

struct MergeTests {
  /// However the corpus is cut, in whatever order shards are given, on however many threads.
  @Test(arguments: [[0, 16], [0, 7, 16], [0, 1, 2, 16], [0, 3, 6, 9, 12, 16]])
  func shardsMergeToTheBytesOfASingleRun(cuts: [Int]) throws {
    let folder = TemporaryFolder()
    let collection = try Collection(sinkPositions: 4)
    try collection.collect(0..<16, threads: 2, to: folder.path("single.h5"))
    let shards = try zip(cuts, cuts.dropFirst()).enumerated().map { index, range in
      let path = folder.path("shard-\(index).h5")
      try collection.collect(range.0..<range.1, threads: 1 + index % 3, to: path)
      return path
    }
    let single = try bytes(ofFile: folder.path("single.h5"))
    for order in [shards, shards.reversed(), Array(shards.dropFirst() + shards.prefix(1))] {
      try StatisticsFile.merge(order, to: folder.path("merged.h5"))
      #expect(try bytes(ofFile: folder.path("merged.h5")) == single)
    }
  }

  @Test func whatWasAddedIsTakenAwayAgain() {
    let (first, second) = (SmallStatistics.record(seed: 1), SmallStatistics.record(seed: 2))
    var record = first
    record += second
    #expect(record != first && record != second)
    record -= first
    #expect(record == second)
  }

  /// Shards of shards merge to the same, too.
  @Test func mergingIsAssociative() throws {
    let folder = TemporaryFolder()
    for (index, coverage) in [0..<2, 2..<5, 5..<9].enumerated() {
      _ = try SmallStatistics.write(SmallStatistics.description(coverage: [coverage]), to: folder.path("\(index).h5"))
    }
    func merge(_ names: [String], to name: String) throws -> [UInt8] {
      try StatisticsFile.merge(names.map { folder.path("\($0).h5") }, to: folder.path("\(name).h5"))
      return try bytes(ofFile: folder.path("\(name).h5"))
    }
    let together = try merge(["0", "1", "2"], to: "all")
    _ = try merge(["1", "0"], to: "left")
    _ = try merge(["2", "1"], to: "right")
    #expect(try merge(["left", "2"], to: "all") == together)
    #expect(try merge(["0", "right"], to: "all") == together)
  }

  @Test func shardsThatDoNotBelongTogetherAreRefused() throws {
    typealias Small = SmallStatistics
    try expectRefusal(of: Small.description(coverage: [1..<3]), .overlap("a", "b", 1..<2))
    try expectRefusal(of: Small.description(coverage: [3..<4]), .hole(2..<3))
    for (description, difference) in [
      (Small.description(coverage: [2..<3], modelHash: "n"), "model"),
      (Small.description(coverage: [2..<3], corpusHash: "d"), "corpus"),
      (Small.description(coverage: [2..<3], sinkPositions: 0), "number of sink positions"),
      (Small.description(coverage: [2..<3], toolVersion: "2"), "version of Gambit"),
      (Small.description(coverage: [2..<3], activation: .geluTanh), "gate activation"),
    ] {
      try expectRefusal(of: description, .otherCollection("b", "a", difference: difference))
    }
  }

  @Test func layersMergeWhereTheyFollowEachOther() throws {
    func part(_ layers: Range<Int>, _ coverage: Range<Int> = 0..<2) -> (
      path: String, description: StatisticsDescription
    ) {
      var description = SmallStatistics.description(coverage: [coverage])
      description.layerCount = 9
      description.layers = layers
      return ("\(layers.lowerBound)", description)
    }
    #expect(try StatisticsDescription.merging([part(3..<6), part(6..<9), part(0..<3)]).hasAllLayers)
    #expect(try StatisticsDescription.merging([part(3..<6), part(6..<8)]).layers == 3..<8)
    for (second, error) in [
      (part(4..<6), StatisticsError.layerHole(3..<4)), (part(2..<6), .layerOverlap("0", "2", 2..<3)),
      (part(3..<6, 0..<1), .otherSequences("3", "0")),
    ] {
      #expect(throws: error) { try StatisticsDescription.merging([part(0..<3), second]) }
    }
  }

  @Test func nothingMergesToAnError() {
    #expect(throws: StatisticsError.nothingToMerge) { try StatisticsFile.merge([], to: "nowhere.h5") }
  }

  @Test func theSameShardTwiceIsAnOverlap() throws {
    let folder = TemporaryFolder()
    _ = try SmallStatistics.write(to: folder.path("a.h5"))
    #expect(throws: StatisticsError.self) {
      try StatisticsFile.merge([folder.path("a.h5"), folder.path("a.h5")], to: folder.path("m.h5"))
    }
    #expect(folder.entries == ["a.h5"])
  }

  private func expectRefusal(of second: StatisticsDescription, _ error: StatisticsError) throws {
    #expect(throws: error) {
      _ = try StatisticsDescription.merging([("a", SmallStatistics.description()), ("b", second)])
    }
  }
}
