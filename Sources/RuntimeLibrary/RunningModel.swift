import SparseBundle
import SparseRuntime
import Tokenizers

/// What a `gambit_model` of gambit.h points at.
final class RunningModel {
  let tokenizer: Tokenizer
  let vocabularySize: Int
  private let engine: SparseEngine
  private let capacity: Int
  /// Where callers find logits, which the engine's own place might not outlive.
  let logits: UnsafeMutablePointer<Float>

  init(path: String, sparsity: Double, capacity: Int, threads: Int) throws {
    let bundle = try ModelBundle(path: path, sparsity: sparsity < 0 ? nil : sparsity)
    let context = bundle.configuration.contextLength
    guard (0...context).contains(capacity) else {
      throw MisuseError("a capacity of \(capacity) tokens is not from 1 to the model's context of \(context)")
    }
    guard (0...1024).contains(threads) else { throw MisuseError("\(threads) threads are not from 1 to 1024") }
    tokenizer = try Tokenizer(bundle.tokenizer)
    vocabularySize = bundle.configuration.vocabularySize
    self.capacity = capacity == 0 ? context : capacity
    engine = try SparseEngine(
      bundle, capacity: self.capacity, threads: threads == 0 ? nil : threads)
    logits = .allocate(capacity: vocabularySize)
  }

  deinit { logits.deallocate() }

  var position: Int { engine.position }

  func feed(_ tokens: UnsafeBufferPointer<Int32>, sparse: Bool) throws {
    guard let last = tokens.last else { return }
    if let token = tokens.first(where: { $0 < 0 || Int($0) >= vocabularySize }) {
      throw MisuseError("token \(token) is not below the vocabulary's size of \(vocabularySize)")
    }
    guard tokens.count <= capacity - engine.position else {
      throw MisuseError("\(tokens.count) tokens more than \(engine.position) are beyond the capacity of \(capacity)")
    }
    try engine.read(Array(tokens.dropLast())[...], sparse: sparse)
    engine.step(last, sparse: sparse)
    engine.withLogits { values in
      if let first = values.baseAddress { logits.update(from: first, count: values.count) }
    }
  }

  func reset() { engine.reset() }
}

/// What a caller got wrong.
struct MisuseError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
