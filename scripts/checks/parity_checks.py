"""gambit computes with the real model what `transformers` computes; expected numbers are in Tests/Fixtures/smollm2."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file
from tokenizers import Tokenizer

import gambit
from outcome import require
from run_directory import REPOSITORY, RunDirectory

ORACLE = REPOSITORY / "Tests" / "Fixtures" / "smollm2"
CORPORA = REPOSITORY / "pipelines" / "corpora"
LARGEST_LOGIT_DIFFERENCE = 2e-3


def tokens_equal_those_of_transformers(model: Path) -> None:
    """tokenize: ids of short texts equal the expected ones."""
    for case in json.loads((ORACLE / "tokenize.json").read_text())["texts"]:
        ids = gambit.ask("tokenize", "--model", model, "--text", case["text"])["ids"]
        require(ids == case["ids"], f"{case['text']!r} gives {ids}, not {case['ids']}")


def documents_tokenize_as_recorded(model: Path) -> None:
    """tokenize: ids of all 2104 documents are those that were recorded from transformers."""
    subprocess.run(
        [sys.executable, REPOSITORY / "scripts/checks/tokenizer_parity.py", "--model", model, "--gambit", gambit.PROGRAM,
         "--expected", REPOSITORY / "Tests/TokenizersTests/Fixtures/documents.json", *sorted(CORPORA.glob("*.jsonl"))],
        check=True, stdout=subprocess.DEVNULL)


def corpora_tokenize_alike(model: Path, run: RunDirectory) -> None:
    """tokenize: ids of each corpus as a whole equal those of Hugging Face's tokenizers."""
    tokenizer = Tokenizer.from_file(str(run.bundle / "tokenizer.json"))
    for path in sorted(CORPORA.glob("*.jsonl")):
        ids = gambit.ask("tokenize", "--model", model, "--file", path)["ids"]
        expected = tokenizer.encode(path.read_text(encoding="utf-8"), add_special_tokens=False).ids
        require(ids == expected, f"{path.name}: {len(ids)} ids, expected {len(expected)}")


def perplexity_equals_that_of_transformers(model: Path) -> None:
    """evaluate perplexity: the dense model's equals the expected one to 1e-4."""
    expected = json.loads((ORACLE / "perplexity.json").read_text())
    answer = gambit.ask(
        "evaluate", "perplexity", "--model", model, "--text", REPOSITORY / expected["text"],
        "--sequence-length", expected["sequence_length"], "--max-tokens", expected["max_tokens"])
    require(answer["tokens"] == expected["tokens"], f"{answer['tokens']} tokens, expected {expected['tokens']}")
    require(abs(answer["nll"] - expected["nll"]) < 1e-4, f"nll {answer['nll']}, expected {expected['nll']}")


def logits_equal_those_of_transformers(model: Path, scratch: Path) -> None:
    """evaluate logits: greatest difference at most 2e-3, the same top-1 at every position."""
    expected = load_file(ORACLE / "logits.safetensors")
    output = scratch / "logits.safetensors"
    gambit.run("evaluate", "logits", "--model", model, "--ids", ORACLE / "logits.safetensors", "--output", output)
    with safe_open(output, "numpy") as file:
        logits = file.get_tensor("logits")  # [sequences, positions, vocabulary]
    different = int((logits.argmax(-1) != expected["top1"]).sum())
    require(different == 0, f"another top-1 at {different} positions")
    wide = logits.astype(np.float64)
    maximum = wide.max(-1)
    log_sum = maximum + np.log(np.exp(wide - maximum[..., None]).sum(-1))
    for name, ours, theirs in [
        ("logits", logits[:, expected["positions"]][..., expected["vocabulary"]], expected["logits"]),
        ("maximum", maximum, expected["maximum"]), ("mean", wide.mean(-1), expected["mean"]),
        ("logsumexp", log_sum, expected["logsumexp"]),
    ]:
        difference = float(np.abs(ours - theirs).max())
        require(difference <= LARGEST_LOGIT_DIFFERENCE, f"{name} differ by up to {difference}")
