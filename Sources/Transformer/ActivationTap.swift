import LinearAlgebra

/// The activations of one sequence at one place of one layer: `[tokens, width]`, row by row.
///
/// They live in the workspace of the thread that computes them and are only valid during the call
/// that hands them over. Writing to them changes what the layer computes from here on.
public struct Activations {
  let matrix: Matrix
  private let first: Int
  public let tokens: Int
  public var width: Int { matrix.columns }

  init(_ matrix: Matrix, first: Int = 0, tokens: Int) {
    self.matrix = matrix
    self.first = first
    self.tokens = tokens
  }

  public subscript(token: Int, channel: Int) -> Float {
    get { matrix[first + token, channel] }
    nonmutating set { matrix[first + token, channel] = newValue }
  }

  /// `width` values of one token.
  package func row(_ token: Int) -> UnsafeMutablePointer<Float> { matrix.row(first + token) }

  /// All tokens but the first `count`; none where there are no more.
  public func dropFirst(_ count: Int) -> Activations {
    let count = min(count, tokens)
    return Activations(matrix, first: first + count, tokens: tokens - count)
  }
}

/// Where in the work a call to a tap comes from.
public struct TapContext: Sendable {
  public let layer: Int
  /// Index of the sequence in the hidden states that are being run.
  public let sequence: Int
  /// The thread, counted from 0: calls with the same worker never overlap.
  public let worker: Int
}

/// An attention projection whose inputs can be read with all bits of their weights, with some, or with none.
public enum GradedInput: Sendable, CaseIterable {
  case query, key, value, output
}

/// A place to observe or to mask activations in the forward pass, one method a place, in the order
/// in which a layer reaches them. Every method's default does nothing.
///
/// Calls for different sequences come from different threads at the same time.
public protocol ActivationTap: Sendable {
  /// Whether `queryInput` is to be called on a copy of the attention input that only the query
  /// projection reads.
  var masksQueryInput: Bool { get }

  /// Whether the key and the value projection read copies of the attention input, too, each its own, on which
  /// `keyInput` and `valueInput` are to be called.
  var masksKeyAndValueInputs: Bool { get }

  /// For each channel of the FFN whether the up projection decides instead of the gate, where the rows that decide
  /// read a copy of the FFN's input that `decidingInput` is called on; `nil` where all rows read the input itself.
  func decidingRows(layer: Int) -> [Bool]?

  /// Whether the rows that do not decide read a copy of the FFN's input, too, on which `otherInput` is to be called.
  /// They are those which ``decidingRows(layer:)`` does not name, so that this means nothing where that is `nil`.
  var masksOtherInput: Bool { get }

  /// Projections that `gradedInput` is to be called for, in place of their own methods. It means nothing where a layer is
  /// run without high planes; neither does ``gradesProducts``.
  var gradedInputs: Set<GradedInput> { get }

  /// Whether `gradedProduct` is to be called in place of `product`.
  var gradesProducts: Bool { get }

  /// What is added to the sums of gate and up that high planes alone give, before `gradedProduct` is called; nothing
  /// where it is `nil`.
  func planeOffsets(layer: Int) -> PlaneOffsets?

  /// The normed input that query, key and value projections share: `[tokens, hiddenSize]`.
  func attentionInput(_ x: Activations, _ context: TapContext) throws
  /// The query projection's own copy of the attention input: `[tokens, hiddenSize]`.
  func queryInput(_ x: Activations, _ context: TapContext) throws
  /// The key projection's own copy of the attention input: `[tokens, hiddenSize]`.
  func keyInput(_ x: Activations, _ context: TapContext) throws
  /// The value projection's own copy of the attention input: `[tokens, hiddenSize]`.
  func valueInput(_ x: Activations, _ context: TapContext) throws
  /// Keys and values as attention reads them, normed and turned by position: both `[tokens, keyValueWidth]`.
  func keysAndValues(_ keys: Activations, _ values: Activations, _ context: TapContext) throws
  /// The input of the output projection, all heads side by side: `[tokens, queryWidth]`.
  func outputInput(_ x: Activations, _ context: TapContext) throws
  /// The normed input that gate and up projections share: `[tokens, hiddenSize]`.
  func ffnInput(_ x: Activations, _ context: TapContext) throws
  /// The deciding rows' own copy of the FFN's input: `[tokens, hiddenSize]`.
  func decidingInput(_ x: Activations, _ context: TapContext) throws
  /// The other rows' own copy of the FFN's input: `[tokens, hiddenSize]`.
  func otherInput(_ x: Activations, _ context: TapContext) throws
  /// `g = act(gate x)` and `u = up x`, both `[tokens, intermediateSize]`, before their product.
  func gateAndUp(_ gate: Activations, _ up: Activations, _ context: TapContext) throws
  /// `g ⊙ u`, the input of the down projection: `[tokens, intermediateSize]`.
  func product(_ x: Activations, _ context: TapContext) throws
  /// A projection's own copy of its input, and zeros: what is moved from the first to the second is multiplied with the
  /// weights' high planes alone, what is in neither is not read. Both `[tokens, hiddenSize or queryWidth]`.
  func gradedInput(_ x: Activations, half: Activations, at place: GradedInput, _ context: TapContext) throws
  /// `g ⊙ u`, and the same by the high planes of gate and up alone: the first is multiplied with the down projection, the
  /// second with its high plane. Both `[tokens, intermediateSize]`. Returns whether any of the second is to be added.
  func gradedProduct(_ x: Activations, half: Activations, _ context: TapContext) throws -> Bool
  /// The residual stream behind the layer, with the FFN's output added: `[tokens, hiddenSize]`.
  func layerOutput(_ x: Activations, _ context: TapContext) throws
}

extension ActivationTap {
  public var masksQueryInput: Bool { false }
  public var masksKeyAndValueInputs: Bool { false }
  public func decidingRows(layer: Int) -> [Bool]? { nil }
  public var masksOtherInput: Bool { false }
  public var gradedInputs: Set<GradedInput> { [] }
  public var gradesProducts: Bool { false }
  public func planeOffsets(layer: Int) -> PlaneOffsets? { nil }
  public func attentionInput(_ x: Activations, _ context: TapContext) throws {}
  public func queryInput(_ x: Activations, _ context: TapContext) throws {}
  public func keyInput(_ x: Activations, _ context: TapContext) throws {}
  public func valueInput(_ x: Activations, _ context: TapContext) throws {}
  public func keysAndValues(_ keys: Activations, _ values: Activations, _ context: TapContext) throws {}
  public func outputInput(_ x: Activations, _ context: TapContext) throws {}
  public func ffnInput(_ x: Activations, _ context: TapContext) throws {}
  public func decidingInput(_ x: Activations, _ context: TapContext) throws {}
  public func otherInput(_ x: Activations, _ context: TapContext) throws {}
  public func gateAndUp(_ gate: Activations, _ up: Activations, _ context: TapContext) throws {}
  public func product(_ x: Activations, _ context: TapContext) throws {}
  public func gradedInput(_ x: Activations, half: Activations, at place: GradedInput, _ context: TapContext) throws {}
  public func gradedProduct(_ x: Activations, half: Activations, _ context: TapContext) throws -> Bool { false }
  public func layerOutput(_ x: Activations, _ context: TapContext) throws {}
}

/// Lets everything pass: the dense model.
public struct DenseTap: ActivationTap {
  public init() {}
}
