#!/usr/bin/env python3
"""What `transformers` computes in float32 with the demo's model, small enough to be checked in.

    make oracles    (or: python scripts/oracles/make_real_model_oracle.py MODEL.gguf)

Writes to Tests/Fixtures/smollm2/:

- `logits.safetensors`: `ids` [4, 256] int32; at every position `top1` [4, 256] int32, `maximum`, `mean` and
  `logsumexp` [4, 256] float32 over the vocabulary; `margin` [4, 256], the best logit minus the second best;
  and at the positions `positions` [16] of each sequence, `logits` [4, 16, 64] of the tokens `vocabulary` [64];
- `perplexity.json`: the perplexity of the first windows of the held-out text;
- `tokenize.json`: texts with their token ids.

The windows: documents in file order, each followed by the model's end-of-text token, joined and cut into
non-overlapping windows. Perplexity: every position of a window but its first is predicted and weighs the same.
"""

import importlib.metadata
import json
import math

import numpy as np
import torch
from safetensors.numpy import save_file

from real_model import REPOSITORY, load_model, load_tokenizer, model_path, windows

OUTPUT = REPOSITORY / "Tests" / "Fixtures" / "smollm2"
CORPUS = "wikitext2-test.jsonl"
SEQUENCES, POSITIONS = 4, 256
PERPLEXITY_LENGTH, PERPLEXITY_WINDOWS = 512, 12
TEXTS = [
    "Hello world",
    "  def f(x):\n\treturn x ** 2\r\n\r\n",
    "In 1984, 12345 people paid  99.95 euros.",
    "naïve café — 日本語 🙂👩‍👩‍👧 e\u0301",
    "<|im_start|>user\nHi<|im_end|>",
]


def versions() -> dict[str, str]:
    packages = ("torch", "transformers", "tokenizers", "gguf", "safetensors", "numpy")
    return {name: importlib.metadata.version(name) for name in packages}


def logits_oracle(model, ids: torch.Tensor) -> dict[str, np.ndarray]:
    with torch.no_grad():
        logits = model(input_ids=ids, use_cache=False).logits
    best = logits.topk(2, dim=-1)
    positions = torch.linspace(0, ids.shape[1] - 1, 16).round().long()
    vocabulary = torch.linspace(0, logits.shape[-1] - 1, 64).round().long()
    tensors = {
        "ids": ids.int(), "top1": best.indices[..., 0].int(), "margin": best.values[..., 0] - best.values[..., 1],
        "maximum": best.values[..., 0], "mean": logits.double().mean(-1).float(),
        "logsumexp": logits.double().logsumexp(-1).float(),
        "positions": positions.int(), "vocabulary": vocabulary.int(),
        "logits": logits[:, positions][..., vocabulary],
    }
    return {name: np.ascontiguousarray(value.numpy()) for name, value in tensors.items()}


def perplexity_oracle(model, ids: torch.Tensor) -> dict[str, float | int]:
    total, tokens = 0.0, 0
    for window in ids:
        with torch.no_grad():
            logits = model(input_ids=window[None], use_cache=False).logits[0, :-1].double()
        total += torch.nn.functional.cross_entropy(logits, window[1:], reduction="sum").item()
        tokens += len(window) - 1
    return {"nll": total / tokens, "perplexity": math.exp(total / tokens), "tokens": tokens}


def write_json(name: str, value: dict) -> None:
    text = json.dumps({"made_with": versions()} | value, indent=2, ensure_ascii=False)
    (OUTPUT / name).write_text(text + "\n", encoding="utf-8")


def main() -> None:
    gguf = model_path()
    tokenizer, model = load_tokenizer(gguf), load_model(gguf)
    end_of_text = model.config.eos_token_id
    OUTPUT.mkdir(parents=True, exist_ok=True)

    ids = windows(CORPUS, tokenizer, end_of_text, POSITIONS, SEQUENCES)
    save_file(logits_oracle(model, ids), OUTPUT / "logits.safetensors", metadata=versions())

    ids = windows(CORPUS, tokenizer, end_of_text, PERPLEXITY_LENGTH, PERPLEXITY_WINDOWS)
    write_json("perplexity.json", {
        "text": f"pipelines/corpora/{CORPUS}", "sequence_length": PERPLEXITY_LENGTH, "max_tokens": ids.numel(),
        "end_of_text": end_of_text, **perplexity_oracle(model, ids)})
    encoded = [{"text": text, "ids": tokenizer.encode(text, add_special_tokens=False).ids} for text in TEXTS]
    write_json("tokenize.json", {"texts": encoded})


if __name__ == "__main__":
    main()
