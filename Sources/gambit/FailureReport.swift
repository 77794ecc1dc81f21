import Foundation

/// What a failed command prints: one sentence, on standard error.
enum FailureReport {
  static func print(_ error: any Error) {
    let text = error is any CustomStringConvertible && !(error is NSError) ? "\(error)" : error.localizedDescription
    FileHandle.standardError.write(Data("gambit: \(text)\n".utf8))
  }
}
