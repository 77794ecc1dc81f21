import SparseKernels
import Testing

struct HostileInputTests {
  @Test func matrixMustFitItsMemory() throws {
    let guarded = try GuardedMemory(count: 24)
    let memory = UnsafeRawBufferPointer(guarded.bytes)
    #expect(WeightMatrix(memory, rows: 2, columns: 3, type: .float32) != nil)
    #expect(WeightMatrix(memory, rows: 3, columns: 4, type: .bfloat16) != nil)
    #expect(WeightMatrix(memory, rows: 2, columns: 4, type: .float32) == nil)
    #expect(WeightMatrix(memory, rows: -1, columns: 3, type: .float32) == nil)
    #expect(WeightMatrix(memory, rows: .max, columns: 2, type: .float16) == nil)
    #expect(WeightMatrix(memory, rows: .max / 2, columns: 1, type: .float32) == nil)
  }

  @Test func quantisedMatrixMustFitItsMemory() throws {
    let memory = UnsafeRawBufferPointer(try GuardedMemory(count: 256).bytes)
    // Thirty-three columns are two groups: 2 · 34 and 2 · 20 bytes, rounded up to 128 and 64, and 2 · 18.
    #expect(WeightMatrix(memory, rows: 2, columns: 33, type: .int8) != nil)
    #expect(WeightMatrix(memory, rows: 3, columns: 33, type: .int8) == nil)
    #expect(WeightMatrix(memory, rows: 4, columns: 33, type: .q4) != nil)
    #expect(WeightMatrix(memory, rows: 5, columns: 33, type: .q4) == nil)
    #expect(WeightMatrix(memory, rows: 7, columns: 33, type: .highNibbles) != nil)
    #expect(WeightMatrix(memory, rows: 8, columns: 33, type: .highNibbles) == nil)
    #expect(WeightMatrix(memory, rows: 8, columns: 33, type: .lowNibbles) == nil)
    #expect(WeightMatrix(memory, rows: 1, columns: .max, type: .q4) == nil)
    #expect(WeightMatrix(memory, rows: 7, columns: 36, type: .highBytes) != nil)
    #expect(WeightMatrix(memory, rows: 8, columns: 33, type: .highBytes) == nil)
    #expect(WeightMatrix(memory, rows: .max, columns: 1, type: .int8) == nil)
  }

  @Test func lowBytesAreNothingWithoutTheHighOnes() throws {
    let memory = UnsafeRawBufferPointer(try GuardedMemory(count: 12).bytes)
    func matrix(_ rows: Int, _ columns: Int, _ type: ElementType, high: WeightMatrix? = nil) -> WeightMatrix? {
      WeightMatrix(memory, rows: rows, columns: columns, type: type, high: high)
    }
    let high = try #require(matrix(3, 4, .highBytes))
    #expect(matrix(3, 4, .lowBytes, high: high) != nil)
    #expect(matrix(3, 4, .lowBytes) == nil && matrix(4, 3, .lowBytes, high: high) == nil)
    #expect(matrix(3, 4, .lowBytes, high: matrix(3, 2, .float16)) == nil)
  }

  @Test(arguments: ElementType.allCases)
  func rowsOfNoColumnsTakeNoMemory(_ type: ElementType) {
    #expect(type.rowBytes(columns: 0) == 0)
    #expect(type.rowBytes(columns: -1) == nil)
  }

  @Test func elementsMustBeAligned() throws {
    // Ends at a page, so that it begins at an odd address.
    let guarded = try GuardedMemory(count: 25)
    let odd = UnsafeRawBufferPointer(guarded.bytes)
    #expect(WeightMatrix(odd, rows: 1, columns: 2, type: .float32) == nil)
    #expect(WeightMatrix(odd, rows: 1, columns: 2, type: .float16) == nil)
    #expect(WeightMatrix(odd, rows: 0, columns: 2, type: .q4) == nil)
  }

  @Test func instructionSetIsChosenByName() throws {
    #expect(try InstructionSet.chosen("scalar") == .scalar)
    #expect(try InstructionSet.chosen(nil) == InstructionSet.supported.last)
    #expect(try InstructionSet.chosen("") == InstructionSet.supported.last)
  }

  @Test(arguments: ["sse9", "AVX2", "neon "])
  func unknownInstructionSetIsAnError(_ name: String) {
    let error = #expect(throws: InstructionSetError.self) { try InstructionSet.chosen(name) }
    #expect(error?.description.contains("set it to one of scalar") == true)
  }

  @Test func absentInstructionSetIsAnError() {
    for set in InstructionSet.allCases where !InstructionSet.supported.contains(set) {
      #expect(throws: InstructionSetError.self) { try InstructionSet.chosen(set.rawValue) }
    }
  }
}
