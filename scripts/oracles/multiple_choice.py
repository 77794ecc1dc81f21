"""Multiple-choice questions scored the plain way: every choice a text of its own, tokens as in lm-evaluation-harness."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer


def questions(path: Path, limit: int | None = None) -> list[dict]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [json.loads(line) for line in lines[:limit]]


def choices(question: dict) -> Iterator[tuple[str, str]]:
    """Context and continuation of each choice."""
    contexts, continuations = question["contexts"], question["continuations"]
    count = max(len(contexts), len(continuations))
    return zip(contexts * (count // len(contexts)), continuations * (count // len(continuations)), strict=True)


def encode(tokenizer: Tokenizer, context: str, continuation: str, start: int) -> tuple[list[int], int]:
    """Both as one list of ids, and how many of them are the context's, as the harness cuts them."""
    spaces = len(context) - len(context.rstrip())
    if spaces:
        context, continuation = context[:-spaces], context[-spaces:] + continuation
    if not context:
        return [start] + tokenizer.encode(continuation, add_special_tokens=False).ids, 1
    whole = tokenizer.encode(context + continuation).ids
    return whole, len(tokenizer.encode(context).ids)


def log_likelihoods(model: torch.nn.Module, tokenizer: Tokenizer, question: dict, start: int) -> list[float]:
    """Σ log p of each choice's continuation: the choices side by side, padded at the end, where nothing looks."""
    texts = [encode(tokenizer, context, continuation, start) for context, continuation in choices(question)]
    longest = max(len(ids) for ids, _ in texts)
    batch = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in texts])
    with torch.inference_mode():
        # The head only from the first position that predicts a continuation.
        first = min(count for _, count in texts) - 1
        hidden = model.model(input_ids=batch, use_cache=False).last_hidden_state[:, first:-1]
        logits = model.lm_head(hidden)
        scores = []
        for row, (ids, count) in enumerate(texts):
            positions = torch.arange(count - 1, len(ids) - 1) - first
            chosen = logits[row, positions].double().log_softmax(-1)
            scores.append(float(chosen.gather(-1, torch.tensor(ids[count:])[:, None]).sum()))
    return scores


def predictions(question: dict, scores: list[float]) -> tuple[int, int]:
    """By log-likelihood, and by log-likelihood a byte of the continuation without one leading space."""
    lengths = [len(continuation.removeprefix(" ").encode("utf-8")) for _, continuation in choices(question)]
    return int(np.argmax(scores)), int(np.argmax(np.array(scores) / np.array(lengths)))


def accuracy(predicted: list[int], gold: list[int]) -> tuple[float, float]:
    """The share that is right, and the standard error of that mean."""
    right = np.array(predicted) == np.array(gold)
    return float(right.mean()), float(right.std(ddof=1) / np.sqrt(len(right)))
