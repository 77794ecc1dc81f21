import SparseKernels

/// Decodes one token after the other with a key-value cache and explicit masks: the plain oracle
/// that every faster way is compared with. One thread, no kernel, no shortcut.
///
///     var decoder = ReferenceDecoder(model, capacity: 256)
///     for token in prompt { logits = decoder.step(token, .dense) }
public struct ReferenceDecoder: TokenDecoder {
  /// Tokens decoded so far.
  public private(set) var position = 0
  /// Decisions so far in which thresholds did not say what was recorded.
  public private(set) var disagreements: [Disagreement] = []
  /// What thresholds decided so far, at each place.
  public private(set) var decided = DecisionCounts()

  private let model: SparseModel
  private let constants: ReferenceToken.Constants
  private let capacity: Int
  private var past: [ReferenceToken.Past]  // a layer each
  private var logits: [Float] = []  // of the last step

  /// - Parameter capacity: The most tokens that will be decoded.
  public init(_ model: SparseModel, capacity: Int) { self.init(model, capacity: capacity, precision: .exact) }

  /// - Parameter precision: What the projections that no input is skipped of are multiplied with, and the output head.
  package init(_ model: SparseModel, capacity: Int, precision: ActivationPrecision) {
    self.model = model
    self.capacity = capacity
    constants = .init(model.configuration, capacity: capacity, precision: precision)
    past = model.layers.map { _ in .init() }
  }

  /// Takes one more token and returns the logits of the next, `[vocabularySize]`.
  ///
  /// - Precondition: `token` is in the vocabulary and `position < capacity`.
  /// - Complexity: O(weights kept + `position` · queryWidth).
  public mutating func step(_ token: Int32, _ rule: KeepRule) -> [Float] {
    precondition(position < capacity && token >= 0 && Int(token) < model.embedding.rows)
    var state = ReferenceToken(model.embedding.elements(row: Int(token)), at: position, rule, constants)
    for index in model.layers.indices { state.run(model.layers[index], &past[index]) }
    let logits = state.logits(model.head)
    position += 1
    disagreements += state.disagreements
    decided.add(state.decided)
    return logits
  }

  public mutating func step(_ token: Int32, sparse: Bool) { logits = step(token, sparse ? .thresholds : .dense) }

  public mutating func read(_ tokens: ArraySlice<Int32>, sparse: Bool) {
    for token in tokens { step(token, sparse: sparse) }
  }

  public func withLogits<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
    try logits.withUnsafeBufferPointer(body)
  }
}
