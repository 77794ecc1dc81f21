import ThresholdSolver
import Transformer

/// A tap that skips something and counts it.
public protocol SharesTap: ActivationTap {
  /// The shares dropped so far.
  var shares: Thresholds.Shares { get }
}

extension Thresholds {
  /// What makes one layer of the forward pass skip what these say.
  func tap(layer index: Int) -> any SharesTap { layers[index].tap }
}

extension Thresholds.Layer {
  var tap: any SharesTap { full.map { GradeTap(self, full: $0) } ?? ThresholdTap(self) }
}

extension [Thresholds.Shares] {
  /// Notes in every layer what a model read of its output head.
  mutating func setHead(_ head: OutputHead) {
    for index in indices { self[index].fullHead = head.shareReadWhole }
  }
}
