import Files
import LinearAlgebra

extension HiddenStates {
  /// Writes all sequences one after the other as float32, in the machine's byte order.
  ///
  /// - Parameter header: What stands before them.
  /// - Throws: `FileError`.
  /// - Complexity: O(`tokens` · `width`) time, memory for one sequence.
  public func write(to path: String, behind header: [UInt8] = []) throws {
    let file = try PositionedFile(creating: path)
    let matrix = Matrix(rows: longest, columns: width)
    try header.withUnsafeBytes { try file.write($0, at: 0) }
    var offset = header.count
    for index in lengths.indices {
      try load(index, into: matrix)
      let size = lengths[index] * width * MemoryLayout<Float>.stride
      try file.write(UnsafeRawBufferPointer(start: matrix.base, count: size), at: offset)
      offset += size
    }
  }

  /// Replaces all sequences by what ``write(to:behind:)`` wrote.
  ///
  /// - Throws: `FileError` where the file is missing or too short.
  public func read(from path: String, at start: Int = 0) throws {
    let file = try PositionedFile(reading: path)
    let matrix = Matrix(rows: longest, columns: width)
    var offset = start
    for index in lengths.indices {
      let size = lengths[index] * width * MemoryLayout<Float>.stride
      try file.read(UnsafeMutableRawBufferPointer(start: matrix.base, count: size), at: offset)
      try store(index, from: matrix)
      offset += size
    }
  }
}
