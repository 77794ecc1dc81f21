import Foundation

// What libFuzzer (https://llvm.org/docs/LibFuzzer.html) calls. It has the `main`.

/// The format that GAMBIT_FUZZ names, and the file from which its reader reads.
private let subject: (format: FuzzedFormat, path: String) = {
  let name = ProcessInfo.processInfo.environment["GAMBIT_FUZZ"] ?? ""
  guard let format = FuzzedFormat(rawValue: name) else {
    let names = FuzzedFormat.allCases.map(\.rawValue).joined(separator: ", ")
    fatalError("GAMBIT_FUZZ is '\(name)': set it to one of \(names)")
  }
  // In memory where there is such a folder.
  let parent = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
  let folder = "\(parent)/gambit-fuzz-\(name)-\(getpid())"
  try! FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  atexit { try? FileManager.default.removeItem(atPath: URL(filePath: subject.path).deletingLastPathComponent().path) }
  ForkedRehearsal.precedeReading()
  return (format, folder + "/" + format.fileName)
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let (format, path) = subject
  let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  precondition(descriptor >= 0 && write(descriptor, bytes, count) == count, "cannot write \(path)")
  close(descriptor)
  // An error that cannot say what is wrong is no better than a crash.
  do { try format.read(path) } catch { precondition(!"\(error)".isEmpty) }
  return 0
}
