import Files
import Foundation

/// What Ctrl-C and a polite kill do: what is half-written is removed, what is finished stays for the next run.
enum Interruption {
  /// Ends the process with 128 and the signal's number, 130 and 143, at SIGINT and SIGTERM. Called before there is another
  /// thread.
  static func handle() {
    // A file beyond the limit of its size is an error to the one that writes it.
    signal(SIGXFSZ, SIG_IGN)
    // Where a mapped file became shorter, or its disk fails, the system has no other way to say it. A handler may do next
    // to nothing.
    signal(SIGBUS) { _ in
      let text: StaticString =
        "gambit: a file became shorter while it was read, or its disk fails: check the model and the bundle's cache\n"
      _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
      _exit(2)
    }
    explainCrashesWhereMemoryIsLimited()
    // Blocked in all threads, which inherit that, and waited for in one: nothing is interrupted in the middle.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    Thread.detachNewThread { [signals] in
      var (signals, number) = (signals, Int32(0))
      while sigwait(&signals, &number) != 0 {}
      FileHandle.standardError.write(Data("gambit: interrupted\n".utf8))
      Unfinished.removeAll(andExitWith: 128 + number)
    }
  }

  /// Swift has no other answer than a crash where there is no more memory, and nobody looks for the limit of a shell
  /// behind one.
  private static func explainCrashesWhereMemoryIsLimited() {
    var limit = rlimit()
    #if canImport(Glibc)
      let resource = __rlimit_resource_t(RLIMIT_AS.rawValue)
    #else
      let resource = RLIMIT_AS
    #endif
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < 1 << 60 else { return }
    for number in [SIGSEGV, SIGABRT, SIGILL, SIGTRAP] {
      signal(number) { _ in
        let text: StaticString =
          "gambit: stopped, for want of memory most likely, which is limited: raise 'ulimit -v'\n"
        _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
        _exit(2)
      }
    }
  }
}
