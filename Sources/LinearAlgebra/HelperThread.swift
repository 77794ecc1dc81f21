#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A thread that does one thing. Where the system has none to give, because memory or processes are limited, there is no
/// helper, and whoever wanted one does the work; libdispatch would wait for ever.
package final class HelperThread {
  private final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private let thread: pthread_t
  private var isJoined = false

  /// Begins `body`; `nil` where there is no thread to be had.
  package init?(_ body: @escaping @Sendable () -> Void) {
    let work = Unmanaged.passRetained(Work(body))
    #if canImport(Glibc)
      var thread = pthread_t()
      let code = pthread_create(
        &thread, nil,
        { argument in
          if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
          return nil
        }, work.toOpaque())
    #else
      var created: pthread_t?
      let code = pthread_create(
        &created, nil,
        { argument in
          Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
          return nil
        }, work.toOpaque())
    #endif
    guard code == 0 else {
      work.release()
      return nil
    }
    #if canImport(Glibc)
      self.thread = thread
    #else
      guard let created else { return nil }
      thread = created
    #endif
  }

  /// Waits until the work is done.
  package func join() {
    guard !isJoined else { return }
    pthread_join(thread, nil)
    isJoined = true
  }

  deinit { join() }
}
