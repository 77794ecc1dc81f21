import Transformer

/// Hands over only what comes behind each sequence's prompt, so that a prompt runs dense as a runtime reads it.
struct DecodingTap<Tap: ActivationTap>: ActivationTap {
  let tap: Tap
  /// Tokens that run dense, of each sequence; none of any where it is empty.
  let prompts: [Int]

  var masksQueryInput: Bool { tap.masksQueryInput }
  var masksKeyAndValueInputs: Bool { tap.masksKeyAndValueInputs }
  var masksOtherInput: Bool { tap.masksOtherInput }
  func decidingRows(layer: Int) -> [Bool]? { tap.decidingRows(layer: layer) }
  var gradedInputs: Set<GradedInput> { tap.gradedInputs }
  var gradesProducts: Bool { tap.gradesProducts }
  func planeOffsets(layer: Int) -> PlaneOffsets? { tap.planeOffsets(layer: layer) }

  func attentionInput(_ x: Activations, _ context: TapContext) throws {
    try tap.attentionInput(rest(x, context), context)
  }
  func queryInput(_ x: Activations, _ context: TapContext) throws { try tap.queryInput(rest(x, context), context) }
  func keyInput(_ x: Activations, _ context: TapContext) throws { try tap.keyInput(rest(x, context), context) }
  func valueInput(_ x: Activations, _ context: TapContext) throws { try tap.valueInput(rest(x, context), context) }
  func keysAndValues(_ keys: Activations, _ values: Activations, _ context: TapContext) throws {
    try tap.keysAndValues(rest(keys, context), rest(values, context), context)
  }
  func outputInput(_ x: Activations, _ context: TapContext) throws { try tap.outputInput(rest(x, context), context) }
  func ffnInput(_ x: Activations, _ context: TapContext) throws { try tap.ffnInput(rest(x, context), context) }
  func decidingInput(_ x: Activations, _ context: TapContext) throws {
    try tap.decidingInput(rest(x, context), context)
  }
  func otherInput(_ x: Activations, _ context: TapContext) throws { try tap.otherInput(rest(x, context), context) }
  func gateAndUp(_ gate: Activations, _ up: Activations, _ context: TapContext) throws {
    try tap.gateAndUp(rest(gate, context), rest(up, context), context)
  }
  func product(_ x: Activations, _ context: TapContext) throws { try tap.product(rest(x, context), context) }
  func gradedInput(_ x: Activations, half: Activations, at place: GradedInput, _ context: TapContext) throws {
    try tap.gradedInput(rest(x, context), half: rest(half, context), at: place, context)
  }
  func gradedProduct(_ x: Activations, half: Activations, _ context: TapContext) throws -> Bool {
    let isUsed = try tap.gradedProduct(rest(x, context), half: rest(half, context), context)
    // The prompt's products stay whole.
    for token in 0..<x.tokens - rest(x, context).tokens { half.row(token).update(repeating: 0, count: half.width) }
    return isUsed
  }
  func layerOutput(_ x: Activations, _ context: TapContext) throws { try tap.layerOutput(rest(x, context), context) }

  private func rest(_ x: Activations, _ context: TapContext) -> Activations {
    prompts.isEmpty ? x : x.dropFirst(prompts[context.sequence])
  }
}
