import SparseBundle
import Synchronization
import ThresholdSolver
import Transformer

/// A ``ThresholdTap``, or a ``GradeTap``, that remembers what every token kept in one layer, at the places where a bundle
/// can cut.
public final class RecordingTap: ActivationTap {
  private let thresholds: Thresholds.Layer
  private let tap: any SharesTap
  private let records: Mutex<[[KeptChannels]]>  // [sequences][tokens]

  /// - Parameter lengths: Tokens of each sequence.
  /// - Precondition: a bundle can hold the thresholds.
  public init(_ thresholds: Thresholds.Layer, lengths: [Int]) {
    precondition(thresholds.otherInput == nil)
    precondition(thresholds.full != nil || (thresholds.key == nil && thresholds.value == nil))
    self.thresholds = thresholds
    tap = thresholds.tap
    let nothing = KeptChannels(ffn: [], full: thresholds.full.map { _ in GradedPlaces(ffn: []) })
    records = Mutex(lengths.map { [KeptChannels](repeating: nothing, count: $0) })
  }

  public var masksQueryInput: Bool { tap.masksQueryInput }
  public var gradedInputs: Set<GradedInput> { tap.gradedInputs }
  public var gradesProducts: Bool { tap.gradesProducts }
  public func planeOffsets(layer: Int) -> PlaneOffsets? { tap.planeOffsets(layer: layer) }

  public func decidingRows(layer: Int) -> [Bool]? { tap.decidingRows(layer: layer) }

  public func decidingInput(_ x: Activations, _ context: TapContext) throws {
    record(x, thresholds.input, context) { $0.input = $1 }
    try tap.decidingInput(x, context)
  }

  public func queryInput(_ x: Activations, _ context: TapContext) throws {
    record(x, thresholds.query, context) { $0.query = $1 }
    try tap.queryInput(x, context)
  }

  public func outputInput(_ x: Activations, _ context: TapContext) throws {
    record(x, thresholds.output, context) { $0.output = $1 }
    try tap.outputInput(x, context)
  }

  public func gateAndUp(_ gate: Activations, _ up: Activations, _ context: TapContext) throws {
    if thresholds.full == nil {
      record(gate, thresholds.ffn, context) { $0.ffn = $1 }
    }
    if let upDecides = thresholds.upDecides {
      record(up, thresholds.ffn, context) { kept, flags in
        for channel in flags.indices where upDecides[channel] { kept.ffn[channel] = flags[channel] }
      }
    }
    try tap.gateAndUp(gate, up, context)
  }

  public func product(_ x: Activations, _ context: TapContext) throws {
    // A threshold of 0 keeps zeros, but not of channels that were dropped before.
    record(x, thresholds.product, context) { $0.down = zip($0.ffn, $1).map { $0 && $1 } }
    try tap.product(x, context)
  }

  public func gradedInput(_ x: Activations, half: Activations, at place: GradedInput, _ context: TapContext) throws {
    let full = thresholds.full
    switch place {
    case .query:
      record(x, thresholds.query, context) { $0.query = $1 }
      record(x, full?.query, context) { $0.full?.query = $1 }
    case .key:
      record(x, thresholds.key, context) { $0.key = $1 }
      record(x, full?.key, context) { $0.full?.key = $1 }
    case .value:
      record(x, thresholds.value, context) { $0.value = $1 }
      record(x, full?.value, context) { $0.full?.value = $1 }
    case .output:
      record(x, thresholds.output, context) { $0.output = $1 }
      record(x, full?.output, context) { $0.full?.output = $1 }
    }
    try tap.gradedInput(x, half: half, at: place, context)
  }

  public func gradedProduct(_ x: Activations, half: Activations, _ context: TapContext) throws -> Bool {
    record(half, thresholds.ffn, context) { $0.ffn = $1 }
    record(half, thresholds.full?.ffn, context) { $0.full?.ffn = $1 }
    return try tap.gradedProduct(x, half: half, context)
  }

  public func layerOutput(_ x: Activations, _ context: TapContext) throws { try tap.layerOutput(x, context) }

  /// `[sequences][tokens]`
  public var kept: [[KeptChannels]] { records.withLock { $0 } }

  private func record(
    _ x: Activations, _ thresholds: [Float]?, _ context: TapContext, _ set: (inout KeptChannels, [Bool]) -> Void
  ) {
    guard let thresholds else { return }
    for token in 0..<x.tokens {
      let row = x.row(token)
      let flags = (0..<x.width).map { row[$0].magnitude >= thresholds[thresholds.count == 1 ? 0 : $0] }
      records.withLock { set(&$0[context.sequence][token], flags) }
    }
  }
}
