import Checkpoints
import TestSupport
import Testing
import Transformer

struct SlidingWindowTests {
  /// A token is seen by itself and by `window - 1` tokens after it, and by no other.
  @Test(arguments: [1, 2, 7, 47])
  func tokenIsForgottenBeyondTheWindow(window: Int) throws {
    let weights = try TinyModel.llama.open().weights
    var configuration = weights.configuration
    configuration.slidingWindow = window
    let ids = try TinyModel.llama.oracle().sequences[0]
    var other = ids
    other[0] = ids[0] == 5 ? 6 : 5
    let states = try runFirstLayer(weights, [ids, other], configuration: configuration, tap: DenseTap())
    let rows = states.map { $0.split(into: ids.count) }
    for position in ids.indices { #expect((rows[0][position] == rows[1][position]) == (position >= window)) }
  }

  @Test func windowAsLongAsTheTextChangesNothing() throws {
    let weights = try TinyModel.llama.open().weights
    var configuration = weights.configuration
    configuration.slidingWindow = 48
    let ids = try TinyModel.llama.oracle().sequences
    let windowed = try runFirstLayer(weights, ids, configuration: configuration, tap: DenseTap())
    #expect(try windowed == runFirstLayer(weights, ids, tap: DenseTap()))
  }

  /// Queries are taken in blocks of 128: a longer text must not depend on where a block ends.
  @Test(arguments: [nil, 50])
  func blocksOfQueriesLeaveNoSeam(window: Int?) throws {
    let weights = try TinyModel.llama.open().weights
    var configuration = weights.configuration
    configuration.slidingWindow = window
    let ids = (0..<200).map { Int32($0 * 37 % 320) }
    let long = try runFirstLayer(weights, [ids], configuration: configuration, tap: DenseTap())[0]
    for length in [127, 128, 129] {
      let part = try runFirstLayer(
        weights, [Array(ids.prefix(length))], configuration: configuration, tap: DenseTap())[0]
      #expect(zip(part, long).allSatisfy { ($0 - $1).magnitude < 2e-5 })
    }
  }
}
