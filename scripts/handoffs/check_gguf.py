#!/usr/bin/env python3
"""llama.cpp runs what `gambit handoff --to gguf` writes: its dense greedy text is ours, token for token.

    make handoff-check

Works on SmolLM2-135M in float32. Exits with 1 where a token differs.
"""

import json
import subprocess
import sys
import tempfile
from ctypes import c_int32
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = REPOSITORY / ".build" / "release" / "gambit"
RUN = REPOSITORY / "artifacts" / "smollm2-demo"
TOKENS = 32
PROMPTS = [
    "The capital of France is", "Once upon a time there was a lighthouse", "def fibonacci(n):",
    "Water boils at a lower temperature on mountains because", "Dear Sir or Madam,",
]

sys.path.insert(0, str(REPOSITORY / "Benchmarks"))
from llama_cpp import Llama  # noqa: E402


def gambit(*arguments: object) -> str:
    return subprocess.run([PROGRAM, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout


def greedy(llama: Llama, prompt: list[int]) -> list[int]:
    """Tokens that llama.cpp finds the likeliest, one after the other."""
    llama.forget()
    room = (c_int32 * len(prompt))(*prompt)
    tokens = [llama.step(llama.batch(room))]
    one = (c_int32 * 1)()
    while len(tokens) < TOKENS:
        one[0] = tokens[-1]
        tokens.append(llama.step(llama.batch(one)))
    return tokens


def main() -> int:
    model = Path(sys.argv[1])
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        bundle, file = Path(folder) / "bundle", Path(folder) / "model.gguf"
        gambit("export", "--model", model, "--thresholds", RUN / "thresholds.safetensors", "--weights", "f32",
               "--output", bundle, "--quiet")
        gambit("handoff", bundle, "--to", "gguf", "--output", file, "--quiet")
        llama = Llama(file, threads=2, context=256)
        for prompt in PROMPTS:
            ours = json.loads(gambit("generate", "--bundle", bundle, "--prompt", prompt, "--dense", "--max-tokens", TOKENS,
                                     "--json", "--quiet"))["ids"]
            theirs = greedy(llama, llama.tokens(prompt))[: len(ours)]
            same = ours == theirs
            different += not same
            print(f"{'same' if same else 'DIFFERENT'}  {prompt!r}: {len(ours)} tokens", flush=True)
            if not same:
                print(f"  ours   {ours}\n  theirs {theirs}")
        llama.close()
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
