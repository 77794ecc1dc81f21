import Foundation

/// What a failed command prints: one sentence, on standard error.
enum FailureReport {
  static func print(_ error: any Error) {
    // Foundation's own errors describe themselves to programmers only.
    let text = error is CocoaError ? error.localizedDescription : "\(error)"
    FileHandle.standardError.write(Data("gambit: \(text)\n".utf8))
  }
}
