import Foundation
import Testing

@testable import HDF5

/// What this module writes, it reads.
struct HDF5WritingTests {
  let folder = TemporaryFolder()

  @Test(arguments: [[], [1], [7], [0], [0, 5], [3, 4], [1000, 700], [2, 3, 4, 5]])
  func arraysOfAllShapesComeBack(shape: [Int]) throws {
    let path = folder.path("a.h5")
    let values = (0..<shape.reduce(1, *)).map { Int32($0) &* 2_654_435 }
    do {
      let file = try HDF5File(creating: path)
      try file.root.write(values, shape: shape, to: "deep/er/values")
      try file.flush()
    }
    let root = try HDF5File(reading: path).root
    #expect(try root.shape(of: "deep/er/values") == shape)
    #expect(try root.read("deep/er/values", as: Int32.self, shape: shape) == values)
  }

  @Test func theSameWritesMakeTheSameBytes() throws {
    func write(_ path: String) throws -> Data {
      do {
        let file = try HDF5File(creating: path)
        for layer in 0..<20 {
          let group = try file.root.createGroup("layers/\(layer)/ffn")
          try group.write((0..<5000).map { Double($0) }, shape: [50, 100], to: "sum")
          try group.attributes.write("squared activations", to: "units")
          try group.attributes.write([1, 2, 3] as [Int64], to: "edges")
        }
        try file.flush()
      }
      return try Data(contentsOf: URL(fileURLWithPath: path))
    }
    let first = try write(folder.path("a.h5"))
    // Object headers hold whole seconds, if they hold the time at all.
    Thread.sleep(forTimeInterval: 1.1)
    #expect(try write(folder.path("another name.h5")) == first)
  }

  @Test func attributesOfAllKindsComeBackAndAreReplaced() throws {
    let path = folder.path("a.h5")
    do {
      let attributes = try HDF5File(creating: path).root.attributes
      try attributes.write("before", to: "text")
      try attributes.write("naïve ✓", to: "text")
      try attributes.write(["a", "", "ccc"], to: "texts")
      try attributes.write([] as [String], to: "none")
      try attributes.write(Int64.min, to: "integer")
      try attributes.write([1, -2] as [Int64], to: "integers")
      try attributes.write(0.1, to: "real")
      try attributes.write([.infinity, -0.0], to: "reals")
      try attributes.write(String(repeating: "long ", count: 100_000), to: "long")
      #expect(throws: HDF5Error.self) { try attributes.write("a\0b", to: "zero") }
    }
    let attributes = try HDF5File(reading: path).root.attributes
    #expect(try attributes.read("text") == "naïve ✓")
    #expect(try attributes.read("texts") == ["a", "", "ccc"])
    #expect(try attributes.read("none") == [String]())
    #expect(try attributes.read("integer") == Int64.min)
    #expect(try attributes.read("integers") == [1, -2] as [Int64])
    #expect(try attributes.read("real") == 0.1)
    #expect(try attributes.read("reals") == [.infinity, -0.0])
    #expect(try attributes.read("long", as: String.self).utf8.count == 500_000)
  }

  @Test func objectsAreCopiedBetweenFiles() throws {
    let source = try HDF5File(creating: folder.path("a.h5"))
    try source.root.write([1, 2, 3] as [Int64], shape: [3], to: "layers/0/count")
    try source.root.dataset("layers/0/count").attributes.write("tokens", to: "units")
    let matrix = (0..<6000).map(Double.init)
    try source.root.write(matrix, shape: [60, 100], to: "layers/0/b/matrix", storage: .init(chunk: [7, 33]))
    try source.root.write([42] as [Int32], shape: [], to: "layers/0/single")
    try source.root.write([] as [Float], shape: [0, 3], to: "layers/0/empty")
    try source.root.group("layers/0").attributes.write([1.5, 2.5], to: "reals")
    let target = try HDF5File(creating: folder.path("b.h5"))
    try target.root.copy("layers/0", of: source.root, to: "shards/7")
    #expect(try target.root.read("shards/7/count", as: Int64.self, shape: [3]) == [1, 2, 3])
    #expect(try target.root.dataset("shards/7/count").attributes.read("units") == "tokens")
    #expect(try target.root.group("shards/7").children() == ["b", "count", "empty", "single"])
    #expect(try target.root.read("shards/7/b/matrix", as: Double.self, shape: [60, 100]) == matrix)
    #expect(try target.root.read("shards/7/single", as: Int32.self, shape: []) == [42])
    #expect(try target.root.shape(of: "shards/7/empty") == [0, 3])
    #expect(try target.root.group("shards/7").attributes.read("reals") == [1.5, 2.5])
    #expect(throws: HDF5Error.missing(file: source.path, object: "/nothing")) {
      try target.root.copy("nothing", of: source.root, to: "x")
    }
  }

  @Test func groupsListTheirChildren() throws {
    let root = try HDF5File(creating: folder.path("a.h5")).root
    for name in ["b/x", "a", "ä/y"] { try root.createGroup(name) }
    try root.write([1] as [UInt8], shape: [1], to: "c")
    #expect(try root.children() == ["a", "b", "c", "ä"])
    #expect(try root.kind(of: "b") == .group && root.kind(of: "c") == .dataset)
    #expect(try root.exists("b/x") && !root.exists("b/z") && !root.exists("q/r/s"))
    for name in ["", "/a", "a//b", "./a", "a\0b"] {
      #expect(throws: HDF5Error.self) { try root.createGroup(name) }
    }
  }

  @Test func existingFileIsNotOverwritten() throws {
    let path = folder.path("a.h5")
    let file = try HDF5File(creating: path)
    #expect(throws: HDF5Error.self) { try HDF5File(creating: path) }
    try file.root.write([1] as [Float], shape: [1], to: "x")
    #expect(throws: HDF5Error.self) { try file.root.write([1] as [Float], shape: [1], to: "x") }
  }

  @Test(arguments: [
    ([1000, 4], 4, [1000, 4]), ([100_000, 2000], 4, [65, 2000]), ([3, 1 << 30], 8, [1, 65536]), ([5], 1, [5]),
  ])
  func chunksHoldWholeRowsWithinTheCache(shape: [Int], elementSize: Int, expected: [Int]) {
    #expect(HDF5Group.defaultChunk(shape: shape, elementSize: elementSize) == expected)
  }

  @Test(arguments: [[], [0, 3]]) func whatHasNoChunksIsWrittenPlainly(shape: [Int]) throws {
    let values = [Double](repeating: 1.5, count: shape.reduce(1, *))
    let root = try HDF5File(creating: folder.path("a.h5")).root
    try root.write(values, shape: shape, to: "x", storage: HDF5Storage(compression: .runs))
    #expect(try root.read("x", shape: shape) == values)
  }

  /// libhdf5's own filters read what is written without them, and verify the checksums.
  @Test(arguments: [([1], 1), ([1000], 1000), ([1000], 999), ([70, 3], 64), ([2, 3, 500], 1), ([40_000, 5], 3)])
  func chunksSearchedForRunsAreReadByTheLibrary(shape: [Int], slices: Int) throws {
    let path = folder.path("a.h5")
    let count = shape.reduce(1, *)
    let storage = HDF5Storage(chunk: [slices] + shape.dropFirst(), compression: .runs)
    // Noise between zeros, all ones, whose checksum folds most, and an odd number of bytes a chunk.
    let doubles = (0..<count).map { (i: Int) -> Double in
      i % 5 < 2 ? 0 : Double(i * 2_654_435_761 % 1_000_003) / 7
    }
    let integers = (0..<count).map { (i: Int) -> Int64 in Int64(i % 3 - 1) }
    let bytes = (0..<count).map { (i: Int) -> UInt8 in UInt8(truncatingIfNeeded: i * i) }
    do {
      let root = try HDF5File(creating: path).root
      try root.write(doubles, shape: shape, to: "doubles", storage: storage)
      try root.write(integers, shape: shape, to: "integers", storage: storage)
      try root.write(bytes, shape: shape, to: "bytes", storage: storage)
    }
    let root = try HDF5File(reading: path).root
    #expect(try root.read("doubles", shape: shape) == doubles)
    #expect(try root.read("integers", shape: shape) == integers)
    #expect(try root.read("bytes", shape: shape) == bytes)
  }

  @Test func badArgumentsAreTypedErrors() throws {
    let root = try HDF5File(creating: folder.path("a.h5")).root
    let values: [Float] = [1, 2, 3]
    for shape in [[2], [-1, -3], [Int.max, 2], [3, 0]] {
      #expect(throws: HDF5Error.self) { try root.write(values, shape: shape, to: "x") }
    }
    for storage in [HDF5Storage(chunk: [0]), HDF5Storage(chunk: [1, 1]), HDF5Storage(compression: .level(10))] {
      #expect(throws: HDF5Error.self) { try root.write(values, shape: [3], to: "y", storage: storage) }
    }
  }

  @Test func manyThreadsMayUseOneFile() async throws {
    let root = try HDF5File(creating: folder.path("a.h5")).root
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<16 {
        group.addTask {
          try root.write([Int64](repeating: Int64(index), count: 1000), shape: [1000], to: "d/\(index)")
          _ = try? root.dataset("missing")
        }
      }
      try await group.waitForAll()
    }
    #expect(try root.group("d").children().count == 16)
  }
}
