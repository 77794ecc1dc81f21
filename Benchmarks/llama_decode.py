#!/usr/bin/env python3
"""llama.cpp's greedy decode of one sequence on the processor, the peer that Gambit's decode is measured against.

    "$(scripts/python-environment peers)" Benchmarks/llama_decode.py MODEL.gguf --threads 2 --json

Decodes the same continuation several times in one process behind a run that only warms up, and prints the median:
tokens a second behind the prompt, the prompt's tokens a second apart, the text, and what llama.cpp was built for.

`threads_busy` of a run is processor seconds a second of its decode. llama.cpp's threads wait awake for each other, so
that it is the number of threads where nothing else ran; runs that fall short of it by more than a twentieth were
disturbed, and are left out of the medians as long as others remain.
"""

import argparse
import json
import statistics
import sys
import time
from ctypes import c_int32
from pathlib import Path

from llama_cpp import Llama

PROMPT = "The history of the city begins"
UNDISTURBED = 0.95


def decode(llama: Llama, prompt: list[int], tokens: int) -> tuple[dict, list[int]]:
    llama.forget()
    whole = (c_int32 * len(prompt))(*prompt)
    start = time.perf_counter()
    ids = [llama.step(llama.batch(whole))]
    prompt_seconds = time.perf_counter() - start

    newest = (c_int32 * 1)()
    batch = llama.batch(newest)
    processor, start = time.process_time(), time.perf_counter()
    while len(ids) < tokens:
        newest[0] = ids[-1]
        ids.append(llama.step(batch))
    seconds, processor_seconds = time.perf_counter() - start, time.process_time() - processor
    return {
        "tokens_per_second": (tokens - 1) / seconds,
        "prompt_tokens_per_second": len(prompt) / prompt_seconds,
        "threads_busy": processor_seconds / seconds,
    }, ids


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="GGUF file")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--prompt", default=PROMPT)
    parser.add_argument("--tokens", type=int, default=64, help="tokens to generate, the prompt's first one included")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if min(arguments.threads, arguments.runs) < 1 or arguments.tokens < 2:
        sys.exit("llama_decode.py: needs a thread, a run and two tokens or more")

    # The vocabulary is only known once the model is open; no token is shorter than a byte.
    llama = Llama(arguments.model, arguments.threads, len(arguments.prompt.encode()) + 8 + arguments.tokens)
    prompt = llama.tokens(arguments.prompt)
    decode(llama, prompt, min(arguments.tokens, 16))
    measured = [decode(llama, prompt, arguments.tokens) for _ in range(arguments.runs)]
    runs, (ids, *others) = [run for run, _ in measured], [ids for _, ids in measured]
    if any(other != ids for other in others):
        sys.exit("llama_decode.py: two greedy runs differ")

    calm = [run for run in runs if run["threads_busy"] >= UNDISTURBED * arguments.threads]
    document = {name: statistics.median(run[name] for run in calm or runs)
                for name in ("tokens_per_second", "prompt_tokens_per_second")}
    document |= {"undisturbed_runs": len(calm), "runs": runs, "prompt_tokens": len(prompt),
                 "text": llama.text(ids), "build": llama.build()}
    llama.close()
    if arguments.json:
        print(json.dumps(document, indent=2))
    else:
        print(f"{document['tokens_per_second']:.1f} tokens/s, prompt {document['prompt_tokens_per_second']:.1f} tokens/s, "
              f"{len(calm)} of {len(runs)} runs undisturbed\n{document['text']}")


if __name__ == "__main__":
    main()
