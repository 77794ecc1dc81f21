"""The fast engine: beside the plain decoder, on all types of weights, and what it leaves in the cache."""

from pathlib import Path

import gambit
from outcome import require
from run_directory import REPOSITORY, RunDirectory

PROMPTS = REPOSITORY / "scripts" / "checks" / "prompts.txt"
TOKENS = 64
THRESHOLDS = "thresholds-energy-attention-0.5.safetensors"  # cut wherever anything can be cut
TYPES = ("f32", "f16", "bf16", "int8", "q4")


def export(run: RunDirectory, model: Path, scratch: Path, weights: str) -> Path:
    """A bundle of thresholds that the run solved; made once."""
    bundle = scratch / f"runtime-{weights}"
    if not bundle.exists():
        gambit.run("export", "--model", model, "--thresholds", run.root / THRESHOLDS,
                   "--weights", weights, "--output", bundle)
    return bundle


def engine_decodes_as_the_oracle(run: RunDirectory, model: Path, scratch: Path) -> None:
    """engine: on 20 prompts of 64 tokens in f32, every token and every mask is the plain decoder's."""
    prompts = PROMPTS.read_text().splitlines()
    require(len(prompts) == 20, "there are not 20 prompts")
    answer = gambit.ask("verify", export(run, model, scratch, "f32"), "--prompts", PROMPTS, "--tokens", TOKENS)
    checks = {check["name"]: check for check in answer["checks"]}
    for name in ("engine's tokens", "engine's masks"):
        require(checks[name]["ok"], checks[name]["detail"])
    require(checks["engine's tokens"]["detail"].startswith(f"{len(prompts) * TOKENS} tokens, 0 unlike"),
            checks["engine's tokens"]["detail"])


def every_type_decodes_as_the_oracle(run: RunDirectory, model: Path, scratch: Path) -> None:
    """engine: bundles of all types continue a prompt as the plain decoder does, dense and sparse."""
    prompt = scratch / "prompt.txt"
    prompt.write_text("The river rose in the night, and\n")
    for weights in TYPES:
        bundle = export(run, model, scratch, weights)
        # Sparse: step by step, since a decision that lies on its threshold may turn the text that follows.
        for check in gambit.ask("verify", bundle, "--prompts", prompt, "--tokens", 12)["checks"]:
            require(check["ok"], f"{weights}: {check['name']}: {check['detail']}")
        arguments = ("generate", "--bundle", bundle, "--prompt", prompt.read_text().strip(), "--max-tokens", 12,
                     "--activations", "exact")
        require(gambit.ask(*arguments)["activated_share"] < 0.8, f"{weights}: too many weights were read")
        engine, oracle = (gambit.ask(*arguments, "--dense", *options) for options in ((), ("--oracle",)))
        require(engine["ids"] == oracle["ids"], f"{weights}: {engine['text']!r}, not {oracle['text']!r}")
        require(engine["activated_share"] == oracle["activated_share"] == 1, f"{weights}: dense skips weights")


def budgets_are_chosen(run: RunDirectory, model: Path, scratch: Path) -> None:
    """engine: a bundle of three budgets verifies, and drops by the one that is asked for; others are refused."""
    ladder, bundle = scratch / "ladder", scratch / "budgets"
    solved = gambit.ask("solve", "--statistics", run.statistics, "--model", model, "--method", "energy",
                        "--attention", "on", "--sparsity", 0.5, 0.3, 0.7, "--sources-at", 0.5, "--output", ladder)
    files = [entry["output"] for entry in solved["thresholds"]]
    require(sorted(files) == sorted(map(str, ladder.iterdir())), f"{files} are not those in the folder")
    gambit.run("export", "--model", model, "--thresholds", *files, "--weights", "q4", "--output", bundle)
    for check in gambit.ask("verify", bundle)["checks"]:
        require(check["ok"], f"{check['name']}: {check['detail']}")
    prompt = PROMPTS.read_text().splitlines()[0]
    arguments = ("generate", "--bundle", bundle, "--prompt", prompt, "--max-tokens", 24, "--activations", "exact")
    answers = {s: gambit.ask(*arguments, *(("--sparsity", s) if s else ())) for s in (None, 0.3, 0.5, 0.7)}
    require(answers[None]["ids"] == answers[0.5]["ids"], "the default is not the first that was given")
    shares = [answers[sparsity]["activated_share"] for sparsity in (0.3, 0.5, 0.7)]
    require(shares[0] > shares[1] > shares[2], f"activated shares are {shares}")
    for command in (arguments, ("bench", bundle), ("verify", bundle), ("evaluate", "continuations", "--bundle", bundle)):
        message = gambit.refuse(*command, "--sparsity", 0.6)
        require("0.5 or 0.3 or 0.7" in message, message)
    message = gambit.refuse("export", "--model", model, "--thresholds", files[0], run.root / THRESHOLDS,
                            "--output", scratch / "none")
    require("cannot share a bundle" in message, message)


def threads_make_no_difference(run: RunDirectory) -> None:
    """engine: one thread and three give the same text, also of a prompt that is read as a batch."""
    prompt = " ".join(PROMPTS.read_text().splitlines()[:8])
    arguments = ("generate", "--bundle", run.bundle, "--prompt", prompt, "--max-tokens", 24, "--temperature", 0.8,
                 "--top-p", 0.95, "--seed", 3)
    one, three = (gambit.ask(*arguments, "--threads", threads) for threads in (1, 3))
    require(one["ids"] == three["ids"], "other tokens")
    require(one["ids"] != gambit.ask(*arguments[:-1], 4)["ids"], "another seed gives the same tokens")


def bench_reports(run: RunDirectory) -> None:
    """bench: the report has the fields that others rely on, and its ratios are those of its figures."""
    report = gambit.ask("bench", run.bundle, "--threads", 2, "--decode-only", "--seconds", 1)
    require(set(report["machine"]["read_gbps"]) == {"1", "2"}, "not one and two threads")
    require([row["threads"] for row in report["end_to_end"]] == [1, 2], "not one and two threads")
    for row in report["end_to_end"]:
        rates = row["tokens_per_second"]
        require(abs(row["ideal_speedup"] - row["bytes_dense"] / row["bytes_sparse"]) < 1e-9, "ideal speed-up")
        require(abs(row["measured_speedup"] - rates["sparse"] / rates["dense"]) < 1e-9, "measured speed-up")
        require(abs(row["efficiency"] - row["measured_speedup"] / row["ideal_speedup"]) < 1e-9, "efficiency")


def cache_is_checked_and_emptied(run: RunDirectory) -> None:
    """cache: lists what was unpacked, finds a flipped bit, unpacks again, and can be emptied."""
    gambit.run("generate", "--bundle", run.bundle, "--prompt", "One", "--max-tokens", 1)
    entries = gambit.ask("cache")["entries"]
    require(len(entries) >= 1 and all(entry["bytes"] > 0 for entry in entries), "nothing is cached")
    require(all(entry["ok"] for entry in gambit.ask("cache", "verify")), "an entry is damaged")
    for path in Path(gambit.CACHE.name).glob("*.safetensors"):
        with path.open("r+b") as file:
            file.seek(path.stat().st_size // 2)
            byte = file.read(1)[0]
            file.seek(-1, 1)
            file.write(bytes([byte ^ 1]))
    require(gambit.attempt("cache", "verify").code == 1, "a flipped bit was not found")
    gambit.run("generate", "--bundle", run.bundle, "--prompt", "One", "--max-tokens", 1)
    gambit.run("cache", "clear")
    require(not list(Path(gambit.CACHE.name).iterdir()), "something is left")
