#!/usr/bin/env python3
"""Scores the questions of `tasks/tiny.jsonl` with `transformers` and the tiny models.

    make oracles            (or: python Tests/Fixtures/make_task_oracle.py)

Writes `tasks/tiny.json`: for each model the log-likelihood of every choice, the predictions by acc and acc_norm, and
both accuracies with their standard errors.
"""

import json
import sys

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from fixture_io import FIXTURES, REPOSITORY, versions

sys.path.append(str(REPOSITORY / "scripts" / "oracles"))
from multiple_choice import accuracy, log_likelihoods, predictions, questions  # noqa: E402

FOLDER = FIXTURES / "tasks"
END_OF_TEXT = 0  # also begins a text without a context


def main() -> None:
    torch.set_num_threads(1)
    asked = questions(FOLDER / "tiny.jsonl")
    gold = [question["gold"] for question in asked]
    models = {}
    for name in ["llama", "llama3", "qwen2", "qwen3", "gemma3"]:
        directory = FIXTURES / "models" / name
        model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").eval()
        tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        scores = [log_likelihoods(model, tokenizer, question, END_OF_TEXT) for question in asked]
        plain, normalized = zip(*(predictions(*pair) for pair in zip(asked, scores)))
        models[name] = {
            "log_likelihoods": scores, "predictions": plain, "predictions_norm": normalized,
            "acc": accuracy(plain, gold), "acc_norm": accuracy(normalized, gold)}
    made_with = versions("torch", "transformers", "tokenizers", "numpy")
    (FOLDER / "tiny.json").write_text(json.dumps({"made_with": made_with, "models": models}, indent=1) + "\n")


if __name__ == "__main__":
    main()
