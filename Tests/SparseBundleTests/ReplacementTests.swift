import Files
import Foundation
import TestSupport
import Testing

@testable import SparseBundle

/// A bundle gives way to a bundle, and nothing else does.
struct ReplacementTests {
  private let folder = TemporaryFolder()

  @Test func whatIsNoBundleIsLeftAlone() throws {
    let path = folder.path("thesis")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try writeAtomically("years of work".utf8, to: path + "/thesis.txt")
    #expect(throws: BundleError.notABundle(path: path)) { try BundleWriter.checkReplaceable(path) }
    try writeAtomically("a file".utf8, to: folder.path("file"))
    #expect(throws: BundleError.self) { try BundleWriter.checkReplaceable(folder.path("file")) }
  }

  @Test func aBundleGivesWayUnlessSomethingElseIsInIt() throws {
    let path = folder.path("bundle")
    try TinyModel.llama.open().writeBundle(to: path, .f32, [[1, 2]], otherSparsities: [0.3])
    try BundleWriter.checkReplaceable(path)
    try writeAtomically("notes".utf8, to: path + "/notes.txt")
    #expect(throws: BundleError.notABundle(path: path)) { try BundleWriter.checkReplaceable(path) }
  }

  @Test func nothingAndAnEmptyFolderMayGo() throws {
    try BundleWriter.checkReplaceable(folder.path("absent"))
    try FileManager.default.createDirectory(atPath: folder.path("empty"), withIntermediateDirectories: true)
    try BundleWriter.checkReplaceable(folder.path("empty"))
  }
}
