import Checkpoints
import Foundation
import SparseBundle
import Synchronization
import TestSupport
import Testing
import Transformer

@testable import Evaluation

struct RoundingLossTests {
  /// Beside whole forward passes and divergences in `Double`.
  @Test(arguments: TinyModel.allCases, WeightType.allCases)
  func lossIsThatOfWholeForwardPasses(_ model: TinyModel, type: WeightType) throws {
    let weights = try model.open().weights
    let windows = try model.oracle().sequences
    let loss = try RoundingLossMeasurement(weights, type, threads: 2).run(windows, text: "some")
    let rounded = RoundedWeights(weights, type)
    let (source, exact) = (try logits(weights, windows), try logits(rounded, windows))
    #expect((loss.kl - divergence(windows, source, exact)).magnitude < 1e-6)
    #expect(loss.tokens == windows.reduce(0) { $0 + $1.count - 1 } && loss.text == "some")
    if type == .f32 { #expect(loss.kl < 1e-9) }

    let rounding = try #require(type.allowsRoundedActivations ? loss.activationRoundingKL : 0)
    #expect((loss.activationRoundingKL == nil) == !type.allowsRoundedActivations)
    guard type.allowsRoundedActivations else { return }
    let integer = try logitsOfRoundedActivations(rounded, windows)
    #expect((rounding - divergence(windows, exact, integer)).magnitude < 1e-6)
    #expect(loss.kl > 0 && rounding > 0)
  }

  @Test func lossDependsNeitherOnThreadsNorOnOtherWindows() throws {
    let weights = try TinyModel.qwen3.open().weights
    let windows = try TinyModel.qwen3.oracle().sequences
    let one = try RoundingLossMeasurement(weights, .q4, threads: 1).run(windows, text: "t")
    #expect(try RoundingLossMeasurement(weights, .q4, threads: 3).run(windows, text: "t") == one)
    let more = try RoundingLossMeasurement(weights, .q4, threads: 2).run(windows + [[], [1]], text: "t")
    #expect(more == one)
  }

  /// Key and value projections read rounded inputs, the query projection reads them as they are.
  @Test func queryInputIsNotRounded() throws {
    let spy = Spy()
    _ = try logits(TinyModel.llama.open().weights, TinyModel.llama.oracle().sequences, threads: 2, tap: { _ in spy })
    let seen = spy.seen.withLock { $0 }
    #expect(!seen.isEmpty)
    for place in seen { #expect(place.query == place.before && place.after != place.before) }
  }

  /// Mean KL(p‖q) of all positions but the last of each window.
  private func divergence(_ windows: [[Int32]], _ p: [[Float]], _ q: [[Float]]) -> Double {
    var (sum, count) = (0.0, 0)
    for (i, tokens) in windows.enumerated() {
      for (a, b) in zip(p[i].split(into: tokens.count), q[i].split(into: tokens.count)).dropLast() {
        let (a, b) = (logProbabilities(a), logProbabilities(b))
        sum += zip(a, b).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
        count += 1
      }
    }
    return sum / Double(count)
  }

  private func logProbabilities(_ logits: [Float]) -> [Double] {
    let top = Double(logits.max() ?? 0)
    let total = top + log(logits.reduce(0) { $0 + exp(Double($1) - top) })
    return logits.map { Double($0) - total }
  }

  /// One sequence after the other, on one thread.
  private func logitsOfRoundedActivations(_ weights: some WeightSource, _ windows: [[Int32]]) throws -> [[Float]] {
    try windows.map { window in
      let pass = ForwardPass(weights.configuration, longest: window.count, threads: 1)
      let states = try pass.embed([window], weights)
      for index in 0..<weights.configuration.layerCount {
        try pass.run(weights.layer(index), index: index, states, tap: PlainRounding())
      }
      let head = try pass.outputHead(weights)
      return head.logits(try states.sequence(0), rows: 0..<window.count) { PlainRounding.round($0) }.values
    }
  }
}

/// Rounds one value at a time, in other words than ``ActivationRounding``. For one thread.
private final class PlainRounding: ActivationTap {
  private let exact = Mutex<[[Float]]>([])

  var masksQueryInput: Bool { true }

  func attentionInput(_ x: Activations, _ context: TapContext) {
    let values = (0..<x.tokens).map { token in (0..<x.width).map { x[token, $0] } }
    exact.withLock { $0 = values }
    Self.round(x)
  }

  func queryInput(_ x: Activations, _ context: TapContext) {
    let values = exact.withLock { $0 }
    for token in 0..<x.tokens { for channel in 0..<x.width { x[token, channel] = values[token][channel] } }
  }

  func ffnInput(_ x: Activations, _ context: TapContext) { Self.round(x) }

  static func round(_ x: Activations) {
    for token in 0..<x.tokens {
      for start in stride(from: 0, to: x.width, by: 32) {
        let channels = start..<min(start + 32, x.width)
        let largest = channels.map { x[token, $0].magnitude }.max() ?? 0
        for channel in channels {
          let code = largest == 0 ? 0 : (x[token, channel] * (127 / largest)).rounded(.toNearestOrEven)
          x[token, channel] = code * (largest / 127)
        }
      }
    }
  }
}

/// Watches what an ``ActivationRoundingTap`` makes of the attention input.
private final class Spy: ActivationTap {
  struct Seen: Sendable {
    var before: [Float]
    var after: [Float]
    var query: [Float] = []
  }

  let seen = Mutex<[Seen]>([])
  private let tap = ActivationRoundingTap()
  private let current = Mutex<[Int: Seen]>([:])

  var masksQueryInput: Bool { tap.masksQueryInput }

  func attentionInput(_ x: Activations, _ context: TapContext) {
    let before = values(x)
    tap.attentionInput(x, context)
    let record = Seen(before: before, after: values(x))
    current.withLock { $0[context.worker] = record }
  }

  func queryInput(_ x: Activations, _ context: TapContext) {
    tap.queryInput(x, context)
    guard var record = current.withLock({ $0[context.worker] }) else { return }
    record.query = values(x)
    let done = record
    seen.withLock { $0.append(done) }
  }

  private func values(_ x: Activations) -> [Float] {
    (0..<x.tokens).flatMap { token in (0..<x.width).map { x[token, $0] } }
  }
}
