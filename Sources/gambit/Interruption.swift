import Dispatch
import Files
import Foundation

/// What Ctrl-C and a polite kill do: what is half-written is removed, what is finished stays for the next run.
enum Interruption {
  /// Kept for as long as the process lives.
  nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []

  /// Ends the process with 128 and the signal's number, 130 and 143, at SIGINT and SIGTERM.
  static func handle() {
    // A file beyond the limit of its size is an error to the one that writes it.
    signal(SIGXFSZ, SIG_IGN)
    sources = [SIGINT, SIGTERM].map { number in
      // The source sees a signal only where its default action does not end the process first.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInteractive))
      source.setEventHandler {
        FileHandle.standardError.write(Data("gambit: interrupted\n".utf8))
        Unfinished.removeAll(andExitWith: 128 + number)
      }
      source.resume()
      return source
    }
  }
}
