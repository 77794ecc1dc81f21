#!/usr/bin/env python3
"""Whether `gambit evaluate tasks` answers questions as `transformers` does, question by question.

    gambit evaluate tasks --model MODEL.gguf --tasks DIR --limit 50 --json > answers.json
    .venv-oracles/bin/python scripts/oracles/compare_tasks.py MODEL.gguf DIR answers.json [--threads 2]

Scores the same questions, as many of each task as `answers.json` has, in float32 and each choice as a text of its own.
Prints for each task how many predictions agree by either metric and lists those that differ, with the choices'
log-likelihoods. Exits with 1 where fewer than 99% of a task's plain predictions agree. Outside `make test`: all eight
tasks take PyTorch half an hour on two cores.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from transformers import AutoTokenizer

from multiple_choice import accuracy, log_likelihoods, predictions, questions
from real_model import load_model, load_tokenizer

REQUIRED_AGREEMENT = 0.99


def compare(task: dict, folder: Path, model: torch.nn.Module, tokenizer, start: int) -> bool:
    ours = list(zip(task["predictions"], task["predictions_norm"], strict=True))
    asked = questions(folder / f"{task['task']}.jsonl", task["n"])
    theirs, agree, agree_norm = [], 0, 0
    for index, (question, mine) in enumerate(zip(asked, ours, strict=True)):
        scores = log_likelihoods(model, tokenizer, question, start)
        theirs.append(predictions(question, scores))
        agree += mine[0] == theirs[-1][0]
        agree_norm += mine[1] == theirs[-1][1]
        if mine != theirs[-1]:
            rounded = [round(score, 5) for score in scores]
            print(f"  question {index}: {mine}, transformers {theirs[-1]}, log-likelihoods {rounded}")
    gold = [question["gold"] for question in asked]
    figures = [accuracy([row[column] for row in theirs], gold)[0] for column in (0, 1)]
    print(f"{task['task']}: {agree} of {len(asked)} predictions agree, {agree_norm} of acc_norm's; "
          f"acc {task['acc']:.4f}, transformers {figures[0]:.4f}; "
          f"acc_norm {task['acc_norm']:.4f}, transformers {figures[1]:.4f}", flush=True)
    return agree >= REQUIRED_AGREEMENT * len(asked)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("tasks", type=Path)
    parser.add_argument("answers", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    gguf = arguments.model.resolve()
    model, tokenizer = load_model(gguf), load_tokenizer(gguf)
    start = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).bos_token_id
    answers = json.loads(arguments.answers.read_text())
    agreed = [compare(task, arguments.tasks, model, tokenizer, start) for task in answers["tasks"]]
    return 0 if all(agreed) else 1


if __name__ == "__main__":
    sys.exit(main())
