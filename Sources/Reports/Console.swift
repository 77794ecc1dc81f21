import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Where long work says how far it is: on a terminal one line that is rewritten, with rate and time
/// left; in a log a plain line now and then. Everything goes to standard error, so that standard
/// output holds results alone.
public final class Console: Sendable {
  private static let redrawInterval = Duration.milliseconds(200)
  private static let logInterval = Duration.seconds(10)

  private let isTerminal: Bool
  private let isQuiet: Bool

  /// - Parameter quiet: Say nothing.
  public init(quiet: Bool = false) {
    isTerminal = isatty(STDERR_FILENO) == 1
    isQuiet = quiet
  }

  /// Prints a line.
  public func note(_ text: String) {
    if !isQuiet { FileHandle.standardError.write(Data((text + "\n").utf8)) }
  }

  /// Runs `body` as a task whose progress is shown, and prints how long it took.
  ///
  /// - Parameters:
  ///   - total: The work in all, in `unit`.
  ///   - body: Handed a task, which it tells what is done.
  public func task<Result>(
    _ name: String, total: Double, unit: String, _ body: (Task) throws -> Result
  ) throws -> Result {
    let task = Task(name: name, total: total, unit: unit, console: self)
    do {
      let result = try body(task)
      task.end()
      return result
    } catch {
      erase()
      throw error
    }
  }

  fileprivate func show(_ text: String, final: Bool) {
    guard !isQuiet else { return }
    let end = isTerminal && !final ? "" : "\n"
    FileHandle.standardError.write(Data(((isTerminal ? "\r\u{1B}[K" : "") + text + end).utf8))
  }

  private func erase() {
    if isTerminal, !isQuiet { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  }

  /// Work whose progress is shown. Threads may share it.
  public final class Task: Sendable {
    private struct State {
      var done = 0.0
      var total: Double
      var shownAt: ContinuousClock.Instant
    }

    private let name: String
    private let unit: String
    private let console: Console
    private let start = ContinuousClock.now
    private let state: Mutex<State>

    fileprivate init(name: String, total: Double, unit: String, console: Console) {
      self.name = name
      state = Mutex(State(total: total, shownAt: .now))
      self.unit = unit
      self.console = console
    }

    /// Adds to what is done.
    public func advance(by amount: Double) { update { $0.done += amount } }

    /// Sets what is done, and the work in all where it was not known before.
    public func advance(to amount: Double, of total: Double? = nil) {
      update { state in
        state.done = max(state.done, amount)
        state.total = total ?? state.total
      }
    }

    private func update(_ change: (inout State) -> Void) {
      let text = state.withLock { state -> String? in
        change(&state)
        let interval = console.isTerminal ? Console.redrawInterval : Console.logInterval
        guard state.shownAt.duration(to: .now) >= interval else { return nil }
        state.shownAt = .now
        return line(state)
      }
      if let text { console.show(text, final: false) }
    }

    fileprivate func end() {
      let seconds = elapsed
      let final = state.withLock { $0 }
      let speed = rate(final, seconds)
      console.show("\(name): \(Format.duration(seconds))\(speed)", final: true)
    }

    private func line(_ state: State) -> String {
      let share = min(1, state.done / max(state.total, 1e-9))
      let seconds = elapsed
      let left = share > 0 ? Format.duration(seconds / share - seconds) : "–"
      return "\(name): \(Int(share * 100))%\(rate(state, seconds)), \(left) left"
    }

    /// Nothing where the work is counted as a whole.
    private func rate(_ state: State, _ seconds: Double) -> String {
      state.total > 1 ? ", \(Format.quantity(state.done / max(seconds, 1e-9))) \(unit)/s" : ""
    }

    private var elapsed: Double {
      let (seconds, attoseconds) = start.duration(to: .now).components
      return Double(seconds) + Double(attoseconds) * 1e-18
    }
  }
}
