import Evaluation
import Tokenizers

extension Tokenizer {
  /// Windows cut from running text as the model expects them: where it was made for texts that begin with a
  /// begin-of-text token, this takes the place of each window's first token, as in llama.cpp's perplexity.
  func begun(_ windows: [[Int32]]) -> [[Int32]] {
    guard model.addsBeginOfText, let beginOfText else { return windows }
    return windows.map { [beginOfText] + $0.dropFirst() }
  }

  func begun(_ windows: TokenWindows) -> TokenWindows {
    guard model.addsBeginOfText, let beginOfText else { return windows }
    return windows.beginning(with: beginOfText)
  }
}
