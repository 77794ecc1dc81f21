import Synchronization
import TestSupport
import Transformer

/// Lets a tap mask everything, then puts back what the first tokens of each sequence were. For one thread.
final class PromptRestoringTap: ActivationTap {
  private let tap: MaskingTap
  private let prompt: Int

  init(_ tap: MaskingTap, prompt: Int) {
    self.tap = tap
    self.prompt = prompt
  }

  var masksQueryInput: Bool { tap.masksQueryInput }
  var masksKeyAndValueInputs: Bool { tap.masksKeyAndValueInputs }
  var masksOtherInput: Bool { tap.masksOtherInput }

  func decidingRows(layer: Int) -> [Bool]? { tap.decidingRows(layer: layer) }

  func decidingInput(_ x: Activations, _ context: TapContext) { restoring(x) { tap.decidingInput(x, context) } }
  func otherInput(_ x: Activations, _ context: TapContext) { restoring(x) { tap.otherInput(x, context) } }
  func keyInput(_ x: Activations, _ context: TapContext) { restoring(x) { tap.keyInput(x, context) } }
  func valueInput(_ x: Activations, _ context: TapContext) { restoring(x) { tap.valueInput(x, context) } }
  func queryInput(_ x: Activations, _ context: TapContext) { restoring(x) { tap.queryInput(x, context) } }
  func outputInput(_ x: Activations, _ context: TapContext) { restoring(x) { tap.outputInput(x, context) } }
  func gateAndUp(_ gate: Activations, _ up: Activations, _ context: TapContext) {
    restoring(gate) { restoring(up) { tap.gateAndUp(gate, up, context) } }
  }
  func product(_ x: Activations, _ context: TapContext) { restoring(x) { tap.product(x, context) } }
  func layerOutput(_ x: Activations, _ context: TapContext) { restoring(x) { tap.layerOutput(x, context) } }

  private func restoring(_ x: Activations, _ mask: () -> Void) {
    let before = (0..<prompt).map { token in (0..<x.width).map { x[token, $0] } }
    mask()
    for token in 0..<prompt { for channel in 0..<x.width { x[token, channel] = before[token][channel] } }
  }
}
