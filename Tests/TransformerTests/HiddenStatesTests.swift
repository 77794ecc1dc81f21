import Files
import LinearAlgebra
import TestSupport
import Testing
import Transformer

struct HiddenStatesTests {
  private static let lengths = [3, 1, 5]

  @Test(arguments: [0, 40, Int.max], [0, Int.max])
  func whatWasWrittenIsReadBack(writerBudget: Int, readerBudget: Int) throws {
    let folder = TemporaryFolder()
    let states = try HiddenStates(
      lengths: Self.lengths, width: 4, memoryBudget: writerBudget, scratchDirectory: folder.root)
    var numbers = RandomNumbers(seed: 1)
    for (index, length) in Self.lengths.enumerated() {
      try states.store(index, from: Matrix(rows: length, columns: 4, values: numbers.normals(length * 4)))
    }
    try states.write(to: folder.path("states.f32"))
    let restored = try HiddenStates(
      lengths: Self.lengths, width: 4, memoryBudget: readerBudget, scratchDirectory: folder.root)
    try restored.read(from: folder.path("states.f32"))
    for index in Self.lengths.indices {
      #expect(try restored.sequence(index).values == states.sequence(index).values)
    }
  }

  @Test func scratchFileLeavesNoTrace() throws {
    let folder = TemporaryFolder()
    let states = try HiddenStates(lengths: [2], width: 4, memoryBudget: 0, scratchDirectory: folder.root)
    try states.store(0, from: Matrix(rows: 2, columns: 4))
    withExtendedLifetime(states) { #expect(folder.entries.isEmpty) }
  }

  @Test func truncatedFileIsAnError() throws {
    let folder = TemporaryFolder()
    let states = try HiddenStates(lengths: [2, 2], width: 4)
    try states.write(to: folder.path("states.f32"))
    try writeAtomically(bytes(ofFile: folder.path("states.f32")).dropLast(), to: folder.path("short.f32"))
    #expect(throws: FileError.self) { try states.read(from: folder.path("short.f32")) }
    #expect(throws: FileError.self) { try states.read(from: folder.path("missing.f32")) }
  }
}
