"""evaluate: what the commands say of the run's bundle, on little text."""

import json
import math
from pathlib import Path

import gambit
from outcome import require
from run_directory import REPOSITORY, RunDirectory
from schema_checks import errors

HELD_OUT = REPOSITORY / "pipelines" / "corpora" / "wikitext2-test.jsonl"
TOKENS = 2048


def bundle_is_measured_beside_its_model(run: RunDirectory, model: Path) -> None:
    """evaluate perplexity: KL with its standard error, top-1 agreement, bytes a token; the model's loss beside it."""
    text = ("--text", HELD_OUT, "--max-tokens", TOKENS)
    answer = evaluate("perplexity", "--bundle", run.bundle, "--model", model, *text)
    alone = evaluate("perplexity", "--model", model, *text)
    dense = answer["dense"]
    require(dense["nll"] == alone["nll"], f"the dense model's nll is {dense['nll']}, not {alone['nll']}")
    require(0 < answer["kl_stderr"] < answer["kl"] < 1, f"KL {answer['kl']} ± {answer['kl_stderr']}")
    require(0.5 < answer["top1_agreement"] < 1, f"top-1 agreement {answer['top1_agreement']}")
    require(0.5 < answer["activated_share"] < 1, f"activated share {answer['activated_share']}")
    require(answer["bytes_per_token"] < dense["bytes_per_token"], "a sparse token reads no fewer bytes")
    increase = answer["nll"] - alone["nll"]
    require(math.isclose(answer["nll_increase"], increase, abs_tol=1e-9), f"nll_increase is not {increase}")


def prompts_are_left_dense(run: RunDirectory) -> None:
    """evaluate perplexity --positions decode: half of the tokens count, and prompts left dense help them."""
    arguments = ("perplexity", "--bundle", run.bundle, "--text", HELD_OUT, "--max-tokens", TOKENS)
    every, decode = evaluate(*arguments), evaluate(*arguments, "--positions", "decode")
    require(every["tokens"] == TOKENS // 512 * 511 and decode["tokens"] == TOKENS // 2, "other tokens are counted")
    require(decode["kl"] < every["kl"], f"KL {decode['kl']} with dense prompts, {every['kl']} without")


def tasks_are_answered(run: RunDirectory, model: Path, scratch: Path) -> None:
    """evaluate tasks: the model knows which of two sentences goes on, and a line without gold is named."""
    folder = scratch / "tasks"
    folder.mkdir()
    pairs = [("The capital of France is", " Paris", " banana"), ("Roses are red, violets are", " blue", " angry"),
             ("The sun rises in the", " east", " oven"), ("Once upon a", " time", " spoon")]
    lines = [json.dumps({"contexts": [context], "continuations": [wrong, right], "gold": 1})
             for context, right, wrong in pairs]
    (folder / "obvious.jsonl").write_text("\n".join(lines) + "\n")
    for source in (("--model", model), ("--bundle", run.bundle)):
        task, = evaluate("tasks", *source, "--tasks", folder)["tasks"]
        require(task["acc"] == task["acc_norm"] == 1 and task["predictions"] == [1] * 4, f"{source[0]}: {task}")
    (folder / "obvious.jsonl").write_text(lines[0] + "\n" + '{"contexts": ["a"], "continuations": ["b", "c"]}\n')
    message = gambit.refuse("evaluate", "tasks", "--model", model, "--tasks", folder)
    require("obvious.jsonl:2" in message and "gold" in message, message)


def texts_are_compared(run: RunDirectory, scratch: Path) -> None:
    """evaluate continuations: sparse text begins as dense text does, more or less."""
    prompts = scratch / "two-prompts.txt"
    prompts.write_text("The capital of France is\nOnce upon a time\n")
    answer = evaluate("continuations", "--bundle", run.bundle, "--prompts", prompts, "--tokens", 16)
    require(answer["prompts"] == 2 and len(answer["continuations"]) == 2, f"{answer['prompts']} prompts")
    require(answer["equal_prefix_share"] <= answer["equal_share"] <= 1, f"shares {answer}")
    require(all(0 <= answer["repetition"][which] <= 1 for which in ("dense", "sparse")), f"{answer['repetition']}")


def drift_is_found(run: RunDirectory, scratch: Path) -> None:
    """evaluate drift: held-out text of the same kind fits; on columns of digits layers drop other shares."""
    arguments = ("drift", "--bundle", run.bundle, "--max-tokens", TOKENS, "--statistics", run.statistics,
                 "--text")
    held_out = evaluate(*arguments, HELD_OUT)
    require(held_out["verdict"] == "fits", f"{held_out['places']}")
    require(held_out["layer_calibration"] == "statistics", held_out["layer_calibration"])
    digits = scratch / "digits.txt"
    rows = ([str(row * column * 7919 % 9973) for column in range(1, 9)] for row in range(400))
    digits.write_text("\n".join(map(" ".join, rows)))
    other = evaluate(*arguments, digits)
    require(other["verdict"] == "drifted", f"{other['places']}")


def evaluate(*arguments: object) -> dict:
    """What `gambit evaluate` measures, which follows schemas/evaluation.schema.json."""
    answer = gambit.ask("evaluate", *arguments)
    found = errors(answer, "evaluation")
    require(not found, f"evaluate {arguments[0]}: {found[:2]}")
    return answer
