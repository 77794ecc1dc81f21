#!/usr/bin/env python3
"""PyTorch's forward pass on the processor, the peer that Gambit's calibration is measured against.

    "$(scripts/python-environment oracles)" Benchmarks/pytorch_forward.py "$(scripts/fetch-model)"

Float32, sequences of 512 real tokens, the decoder's layers without the output head, as calibration needs them.
Runs PyTorch's default attention and both batch sizes that are sensible here, and counts the faster one. Prints one
JSON document: tokens a second, the machine's GEMM peak through PyTorch, and the share of that peak reached.
"""

import argparse
import importlib.metadata
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

CORPUS = Path(__file__).resolve().parents[1] / "pipelines" / "corpora" / "wikitext2-valid.jsonl"


def median_seconds(work: Callable[[], object], repetitions: int) -> float:
    work()  # warms caches and allocators
    return statistics.median(timed(work) for _ in range(repetitions))


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def gemm_peak(size: int = 2048) -> float:
    """GFLOP/s of a large square float32 product, the best of several."""
    left, right = torch.randn(size, size), torch.randn(size, size)
    left @ right
    return 2 * size**3 / min(timed(lambda: left @ right) for _ in range(5)) / 1e9


def tokens(gguf: Path, sequences: int, length: int) -> torch.Tensor:
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    ids: list[int] = []
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        ids += tokenizer.encode(json.loads(line)["text"], add_special_tokens=False)
        if len(ids) >= sequences * length:
            break
    return torch.tensor(ids[: sequences * length]).view(sequences, length)


def linear_flops_per_token(decoder: torch.nn.Module) -> int:
    """Of the layers' projections alone: two for each weight."""
    return 2 * sum(module.weight.numel() for module in decoder.modules() if isinstance(module, torch.nn.Linear))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="GGUF file")
    parser.add_argument("--sequences", type=int, default=4, help="sequences of 512 tokens (default: 4)")
    parser.add_argument("--repetitions", type=int, default=3, help="the median of these counts (default: 3)")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    gguf = options.model.resolve()

    decoder = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float32).eval().model
    ids = tokens(gguf, options.sequences, 512)
    rates = {}
    with torch.inference_mode():
        for batch in sorted({1, options.sequences}):
            seconds = median_seconds(
                lambda: [decoder(input_ids=part, use_cache=False) for part in ids.split(batch)], options.repetitions)
            rates[batch] = ids.numel() / seconds
        peak = gemm_peak()
    best = max(rates.values())
    print(json.dumps({
        "implementation": "pytorch", "dtype": "float32", "threads": options.threads, "sequence_length": 512,
        "tokens_per_second": round(best, 1),
        "tokens_per_second_by_batch": {str(batch): round(rate, 1) for batch, rate in rates.items()},
        "gemm_peak_gflops": round(peak, 1),
        "share_of_peak": round(best * linear_flops_per_token(decoder) / peak / 1e9, 3),
        "versions": {name: importlib.metadata.version(name) for name in ("torch", "transformers")},
    }, indent=2))


if __name__ == "__main__":
    main()
