import Files
import Foundation
import Testing

@testable import HDF5

/// Files that h5py wrote, good and bad ones.
struct HDF5ReadingTests {
  private func root(_ name: String) throws -> HDF5Group {
    let path = try #require(Bundle.module.path(forResource: name, ofType: "h5", inDirectory: "Fixtures"))
    return try HDF5File(reading: path).root
  }

  private func expectValues<Element: HDF5Scalar & Equatable>(_ expected: [Element]) throws {
    let dataset = try root("h5py").dataset("types/\(Element.elementType.rawValue)")
    #expect(try dataset.read(as: Element.self, shape: [6, 4]) == expected)
  }

  @Test func allElementTypes() throws {
    try expectValues((0..<24).map { Float($0) * 2.5 })
    try expectValues((0..<24).map { Double($0) * 2.5 })
    try expectValues((0..<24).map { Int32($0) })
    try expectValues((0..<24).map { Int64($0) })
    try expectValues((0..<24).map { UInt8($0) })
    try expectValues((0..<24).map { UInt32($0) })
    try expectValues((0..<24).map { UInt64($0) })
  }

  @Test func byteOrderIsTheFilesAffair() throws {
    #expect(try root("h5py").read("big_endian", as: Int32.self, shape: [6, 4]) == (0..<24).map { Int32($0) })
  }

  @Test func singleNumber() throws {
    #expect(try root("h5py").read("scalar", as: Double.self, shape: []) == [0.1])
  }

  @Test func attributes() throws {
    let attributes = try root("h5py").attributes
    #expect(try attributes.read("text") == "naïve ✓")
    #expect(try attributes.read("fixed") == "fixed")
    #expect(try attributes.read("texts") == ["one", "two", ""])
    #expect(try attributes.read("integer") == Int64(42))
    #expect(try attributes.read("small") == Int64(200))
    #expect(try attributes.read("reals") == [0.5, -1.25])
    #expect(throws: HDF5Error.self) { try attributes["matrix"] }
    #expect(throws: HDF5Error.self) { try attributes.read("text", as: Int64.self) }
    #expect(throws: HDF5Error.self) { try attributes.read("absent", as: Int64.self) }
  }

  @Test func typeAndShapeMustBeTheOnesAskedFor() throws {
    let root = try root("h5py")
    let file = root.handle.file
    #expect(
      throws: HDF5Error.wrongShape(file: file, object: "/types/int32", expected: [4, 6], found: [6, 4])
    ) { try root.read("types/int32", as: Int32.self, shape: [4, 6]) }
    #expect(
      throws: HDF5Error.wrongType(
        file: file, object: "/types/int32", expected: "float32 numbers", found: "int32 numbers")
    ) { try root.read("types/int32", as: Float.self, shape: [6, 4]) }
    #expect(try root.dataset("int16").elementType == nil)
    #expect(throws: HDF5Error.missing(file: file, object: "/types/absent")) { try root.dataset("types/absent") }
  }

  @Test func claimedSizeWithoutBytesIsRefused() throws {
    let dataset = try root("h5py").dataset("bomb")
    #expect(
      throws: HDF5Error.implausibleSize(file: dataset.handle.file, object: "/bomb", bytes: 8 << 40, stored: 0)
    ) { try dataset.read(as: Double.self) }
    #expect(throws: HDF5Error.self) { try dataset.read(as: Double.self, shape: [1 << 40]) }
  }

  @Test func otherFilesAreNeverOpened() throws {
    let root = try root("h5py")
    #expect(throws: HDF5Error.contentsElsewhere(file: root.handle.file, object: "/external")) {
      try root.read("external", as: UInt8.self, shape: [4])
    }
    #expect(try !root.exists("external_link"))
    #expect(try !root.exists("dangling"))
    #expect(throws: HDF5Error.self) { try root.group("external_link") }
  }

  @Test func flippedByteIsFoundByTheChecksum() throws {
    let dataset = try root("damaged").dataset("values")
    let error = #expect(throws: HDF5Error.self) { try dataset.read(as: Int32.self) }
    #expect(error.map { "\($0)".contains("HDF5 says: ") } == true)
  }

  @Test func filesThatAreNoneAreErrorsWithTheLibrarysText() throws {
    #expect(throws: HDF5Error.file(.system(.open, path: "/nowhere/x.h5", code: ENOENT))) {
      try HDF5File(reading: "/nowhere/x.h5")
    }
    let script = try #require(Bundle.module.path(forResource: "make_fixtures", ofType: "py", inDirectory: "Fixtures"))
    let error = #expect(throws: HDF5Error.self) { try HDF5File(reading: script) }
    #expect(error.map { "\($0)".hasPrefix("cannot open '/' in '\(script)': HDF5 says: file signature") } == true)
  }
}
