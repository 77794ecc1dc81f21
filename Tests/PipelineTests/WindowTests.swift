import TestSupport
import Testing
import Tokenizers

@testable import Pipeline

struct WindowTests {
  /// Gemma's and Llama 3's windows begin with the token that their texts begin with; others are left as they are.
  @Test(arguments: [(true, [[0, 6], [0, 8]]), (false, [[5, 6], [7, 8]])])
  func windowsBeginAsTheModelExpects(addsBeginOfText: Bool, expected: [[Int32]]) throws {
    var model = try TinyModel.gemma3.open().tokenizer
    model.addsBeginOfText = addsBeginOfText
    #expect(try Tokenizer(model).begun([[5, 6], [7, 8]]) == expected)
  }
}
