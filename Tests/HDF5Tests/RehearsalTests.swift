import Foundation
import Testing

@testable import HDF5

struct RehearsalTests {
  private let folder = TemporaryFolder()

  @Test func fileThatDoesNotSurviveItsRehearsalIsRefused() throws {
    let (good, bad) = (folder.path("good.h5"), folder.path("bad.h5"))
    for path in [good, bad] {
      let file = try HDF5File(creating: path)
      try file.root.write([1, 2] as [Int64], shape: [2], to: "values")
      try file.flush()
    }
    // Other tests read meanwhile: no but to this one file.
    HDF5File.rehearse { $0 != bad }
    #expect(throws: HDF5Error.unreadable(file: bad)) { try HDF5File(reading: bad) }
    #expect(try HDF5File(reading: good).root.read("values", as: Int64.self, shape: [2]) == [1, 2])
  }

  @Test func walkComesToAnEnd() throws {
    let path = try #require(Bundle.module.path(forResource: "h5py", ofType: "h5", inDirectory: "Fixtures"))
    try HDF5File(reading: path).walk()
  }
}
