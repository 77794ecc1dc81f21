#!/usr/bin/env python3
"""What transformers' filters leave of some logits, and how likely each token then is.

    make oracles            (or: python Tests/Fixtures/make_sampling_oracle.py)

Writes `sampling.json`: `logits` [200], the tokens that occurred, and for each set of options the tokens left with
their probabilities, in float64.
"""

import json
from importlib.metadata import version
from itertools import product

import torch
from transformers import (
    LogitsProcessorList, MinPLogitsWarper, RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper,
    TopPLogitsWarper)

from fixture_io import FIXTURES

SEEN = [3, 17, 17, 40, 199]


def left(logits: torch.Tensor, temperature: float, top_k: int, top_p: float, min_p: float, penalty: float) -> dict:
    processors = LogitsProcessorList()
    if penalty != 1:
        processors.append(RepetitionPenaltyLogitsProcessor(penalty))
    processors.append(TemperatureLogitsWarper(temperature))
    if top_k:
        processors.append(TopKLogitsWarper(top_k))
    if top_p < 1:
        processors.append(TopPLogitsWarper(top_p))
    if min_p:
        processors.append(MinPLogitsWarper(min_p))
    scores = processors(torch.tensor([SEEN]), logits[None].clone())[0]
    probabilities = torch.softmax(scores, 0)
    tokens = torch.nonzero(torch.isfinite(scores)).flatten().tolist()
    return {
        "temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p, "repetition_penalty": penalty,
        "tokens": tokens, "probabilities": [probabilities[token].item() for token in tokens]}


def main() -> None:
    generator = torch.Generator().manual_seed(5)
    # Rounded to float32, which is what the tests hand over.
    logits = (3 * torch.randn(200, generator=generator)).to(torch.float32).to(torch.float64)
    combinations = product((0.7, 1.5), (0, 1, 20), (1.0, 0.9, 0.3), (0.0, 0.05), (1.0, 1.3))
    document = {
        "versions": {name: version(name) for name in ("torch", "transformers")},
        "logits": logits.tolist(), "seen": SEEN, "cases": [left(logits, *options) for options in combinations]}
    (FIXTURES / "sampling.json").write_text(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
