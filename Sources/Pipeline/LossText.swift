import Checkpoints
import Corpus
import Crypto
import Evaluation
import Files
import Foundation
import SparseBundle
import Tokenizers

/// The text on which export measures what rounding weights costs; solving takes the built-in one for what it has to
/// measure where it is given no sample.
public enum LossText: Sendable, Equatable {
  /// A few pages of several kinds that are part of the program.
  case builtIn
  /// Files or globs, as a corpus has them; `field` is that of a JSON line.
  case files([String], field: String = "text")

  /// Three forward passes over as many take a small model seconds.
  static let tokens = 2048
  private static let windowLength = 256

  /// Documents in order, cut into windows of 256 tokens or of the model's context, 2048 tokens at most unless told
  /// otherwise; one shorter window where the text does not fill any.
  ///
  /// - Throws: `CorpusError`, or ``PipelineError`` where the text has no two tokens, or tokens that the model lacks.
  func windows(
    _ tokenizer: Tokenizer, contextLength: Int, vocabularySize: Int, model: String, atMost count: Int = tokens
  ) throws -> [[Int32]] {
    let length = max(min(Self.windowLength, contextLength), 2)
    let limit = max(count / length, 1) * length
    var tokens: [Int32] = []
    try forEachDocument { text in
      tokens += tokenizer.encode(text) + (tokenizer.endOfText.map { [$0] } ?? [])
      return tokens.count < limit
    }
    guard tokens.count >= 2 else { throw PipelineError.tooLittleText(files: files, tokens: tokens.count, needed: 2) }
    guard tokens.allSatisfy({ $0 >= 0 && $0 < vocabularySize }) else {
      throw PipelineError.foreignTokens(sample: files.joined(separator: ", "), model: model)
    }
    guard tokens.count >= length else { return tokenizer.begun([tokens]) }
    return tokenizer.begun(
      stride(from: 0, through: min(tokens.count, limit) - length, by: length).map { Array(tokens[$0..<$0 + length]) })
  }

  /// The same, of a model's tokens.
  func windows(
    _ tokenizer: TokenizerModel, _ c: ModelConfiguration, model: String, atMost count: Int = tokens
  ) throws -> [[Int32]] {
    try windows(
      Tokenizer(tokenizer), contextLength: c.contextLength, vocabularySize: c.vocabularySize, model: model,
      atMost: count)
  }

  /// `built-in`; the SHA-256 of one file; of several files, that of a list with a line `DIGEST  NAME` for each.
  func name() throws -> String {
    guard case .files(let patterns, let field) = self else { return RoundingLoss.builtInText }
    let files = try DocumentReader(patterns: patterns, field: field).files
    if files.count == 1 { return try sha256(ofFile: files[0]) }
    let list = try files.map { "\(try sha256(ofFile: $0))  \(URL(filePath: $0).lastPathComponent)\n" }.joined()
    return SHA256.hash(data: Data(list.utf8)).hexadecimal
  }

  private var files: [String] {
    switch self {
    case .builtIn: [RoundingLoss.builtInText]
    case .files(let patterns, _): patterns
    }
  }

  /// - Parameter take: Says whether another document is needed.
  private func forEachDocument(_ take: (String) -> Bool) throws {
    switch self {
    case .builtIn: for document in BuiltInText.documents { guard take(document) else { return } }
    case .files(let patterns, let field):
      let reader = try DocumentReader(patterns: patterns, field: field)
      while let document = try reader.next(), take(document.text) {}
    }
  }
}
