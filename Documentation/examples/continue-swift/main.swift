// Continues a prompt from a bundle, by the public interface of the Swift products.
//
//   .build/release/continue artifacts/smollm2-demo/bundle "The capital of France is" 16

import Foundation
import SparseBundle
import SparseRuntime
import Tokenizers

guard CommandLine.arguments.count == 4, let count = Int(CommandLine.arguments[3]) else {
  print("usage: continue BUNDLE PROMPT TOKENS")
  exit(64)
}
let bundle = try ModelBundle(path: CommandLine.arguments[1])
let tokenizer = try Tokenizer(bundle.tokenizer)
let prompt = tokenizer.encode(CommandLine.arguments[2])

// The prompt is read dense but for its last token, all that follows is decoded sparse.
var engine = try SparseEngine(bundle, capacity: prompt.count + count)
var sampler = TokenSampler()  // the likeliest token
var generation = Generation()
try generation.run(
  &engine, &sampler, prompt: prompt, limit: count, stop: [], sparse: true,
  chosen: { print("\($0)\t\(tokenizer.decode([$0]))") })
