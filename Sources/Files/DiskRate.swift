import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// How fast a disk hands out bytes that are not in memory.
public enum DiskRate {
  private static let bytes = 64 << 20

  /// Bytes a second, from the end of the largest file of a model, which the system is asked to forget first.
  ///
  /// - Parameter path: A file, or a folder of files.
  /// - Throws: ``FileError`` where nothing can be read.
  public static func bytesPerSecond(ofModel path: String) throws -> Double {
    let file = try FileReader(path: largestFile(path))
    let count = min(bytes, file.count)
    file.forget(from: file.count - count)
    let time = try ContinuousClock().measure { _ = try file.read(at: file.count - count, count: count) }
    return Double(count) / max(time / .seconds(1), 1e-9)
  }

  private static func largestFile(_ path: String) throws -> String {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let files = names.map { "\(path)/\($0)" }.compactMap { file in
      (try? FileReader(path: file)).map { (file, $0.count) }
    }
    return files.max { $0.1 < $1.1 }?.0 ?? path
  }
}

extension FileReader {
  /// Asks the system to let go of the bytes behind an offset. Where it does not, reading them again is fast.
  fileprivate func forget(from offset: Int) {
    #if canImport(Glibc)
      posix_fadvise(descriptor.number, off_t(offset), off_t(count - offset), POSIX_FADV_DONTNEED)
    #else
      _ = fcntl(descriptor.number, F_NOCACHE, 1)  // not tried: nobody has run this on macOS yet
    #endif
  }
}
