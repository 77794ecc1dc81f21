import Foundation
import Pipeline

/// What a failed command prints: one sentence, on standard error.
enum FailureReport {
  static func print(_ error: any Error) {
    // Foundation's own errors describe themselves to programmers only.
    let text = error is CocoaError ? error.localizedDescription : "\(error)"
    FileHandle.standardError.write(Data("gambit: \(text)\n".utf8))
  }

  /// 1 where a check found something wrong, 2 where the work was impossible.
  static func exitCode(of error: any Error) -> Int32 {
    if case PipelineError.verificationFailed? = error as? PipelineError { return 1 }
    return 2
  }
}
