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
      var shownAt: ContinuousClock.Instant
    }

    private let name: String
    private let total: Double
    private let unit: String
    private let console: Console
    private let start = ContinuousClock.now
    private let state = Mutex(State(shownAt: .now))

    fileprivate init(name: String, total: Double, unit: String, console: Console) {
      self.name = name
      self.total = total
      self.unit = unit
      self.console = console
    }

    /// Adds to what is done.
    public func advance(by amount: Double) { update { $0 + amount } }

    /// Sets what is done.
    public func advance(to amount: Double) { update { max($0, amount) } }

    private func update(_ change: (Double) -> Double) {
      let text = state.withLock { state -> String? in
        state.done = change(state.done)
        let interval = console.isTerminal ? Console.redrawInterval : Console.logInterval
        guard state.shownAt.duration(to: .now) >= interval else { return nil }
        state.shownAt = .now
        return line(done: state.done)
      }
      if let text { console.show(text, final: false) }
    }

    fileprivate func end() {
      let seconds = elapsed
      let rate = state.withLock { $0.done } / max(seconds, 1e-9)
      let speed = total > 1 ? ", \(Format.quantity(rate)) \(unit)/s" : ""
      console.show("\(name): \(Format.duration(seconds))\(speed)", final: true)
    }

    private func line(done: Double) -> String {
      let share = min(1, done / max(total, 1e-9))
      let seconds = elapsed
      let left = share > 0 ? Format.duration(seconds / share - seconds) : "–"
      let rate = total > 1 ? ", \(Format.quantity(done / max(seconds, 1e-9))) \(unit)/s" : ""
      return "\(name): \(Int(share * 100))%\(rate), \(left) left"
    }

    private var elapsed: Double {
      let (seconds, attoseconds) = start.duration(to: .now).components
      return Double(seconds) + Double(attoseconds) * 1e-18
    }
  }
}
