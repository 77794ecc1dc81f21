"""A pipeline whose stages Snakemake runs as jobs ends with the bytes of `gambit run`, whatever happens to the jobs."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import gambit
import schema_checks
from outcome import require
from run_directory import REPOSITORY, RunDirectory

PIPELINE = REPOSITORY / "pipelines" / "smollm2-demo.yaml"
SHARDS = 4
WITHIN = 0.25
ATTEMPTS_TO_FIND = 6000  # of 0.05 s


def killed_jobs_begin_again(run: RunDirectory, model: Path, scratch: Path) -> None:
    """snakemake: four shards on this machine, one of them killed on the way, give the bytes of one run."""
    output = scratch / "cluster"
    run_jobs("local", model, output, [lambda: kill(2, output)], "--cores", "2")
    require_same_artifacts(run.root, output)


def plan_is_met(run: RunDirectory, model: Path) -> None:
    """plan: statistics and bundle are as large, and a collection holds as much memory, as predicted, within a quarter."""
    plan = gambit.ask("plan", PIPELINE, "--output", run.root, "--set", f"model.path={model}")
    require(not (wrong := schema_checks.errors(plan, "plan")), f"the plan does not follow its schema: {wrong[:2]}")
    predicted = {stage["name"]: stage for stage in plan["stages"]}
    bundle = sum(path.stat().st_size for path in run.bundle.iterdir())
    memory = gambit.peak_memory(
        "collect", "--model", model, "--sample", run.root / "sample.h5", "--sinks", 0, "--output", run.root / "again.h5")
    (run.root / "again.h5").unlink()
    for name, found, expected in [
            ("statistics", (run.root / "statistics.h5").stat().st_size, predicted["collect"]["artifacts"]),
            ("bundle", bundle, predicted["export"]["artifacts"]), ("memory", memory, predicted["collect"]["memory"])]:
        require(abs(found / expected - 1) <= WITHIN, f"{name}: {found / 1e6:.0f} MB, {expected / 1e6:.0f} MB predicted")


def truncated_shards_are_refused(model: Path, scratch: Path) -> None:
    """merge: a shard that was cut off, is there twice or missing, or of another sample is refused, by name."""
    shards = [scratch / "cluster" / "shards" / f"{index}-of-{SHARDS}.h5" for index in range(1, SHARDS + 1)]
    cut = scratch / "cut.h5"
    cut.write_bytes(shards[1].read_bytes()[:-5000])
    for wrong, name in [
            ([shards[0], cut, *shards[2:]], "cut.h5"), ([*shards, shards[1]], "2-of-4.h5"),
            ([shards[0], *shards[2:]], "sequences 8 to 15"), (shards[1:], "sequences 0 to 7"),
            (shards[:-1], "sequences 24 to 31"), ([shards[0], scratch / "shard-2.h5"], "shard-2.h5")]:
        message = gambit.refuse("merge", *wrong, "--output", scratch / "never.h5")
        require(name in message, f"the message does not name {name}: {message.strip()}")
    require(not (scratch / "never.h5").exists(), "a merger that failed left a file")


def run_jobs(profile: str, model: Path, output: Path, faults: list[Callable[[], None]], *options: str) -> None:
    """Runs the pipeline as jobs, with faults beside it, each of which must come about."""
    settings = [f"pipeline={PIPELINE}", f"output={output}", f"shards={SHARDS}", f"gambit={gambit.PROGRAM}", f"set=['model.path={model}']"]
    command = [
        REPOSITORY / "scripts" / "snakemake", "--profile", REPOSITORY / "pipelines" / "cluster" / "profiles" / profile,
        "--config", *settings, *options]
    happened = []
    threads = [threading.Thread(target=lambda fault=fault: happened.append(fault()), daemon=True) for fault in faults]
    for thread in threads:
        thread.start()
    answer = subprocess.run([*map(str, command)], cwd=REPOSITORY, capture_output=True, text=True)
    require(answer.returncode == 0, f"snakemake ended with {answer.returncode}: {answer.stderr.strip()[-2000:]}")
    require(len(happened) == len(faults), "a job was done before a fault could come about")


def kill(shard: int, output: Path) -> None:
    """Kills the process that collects a shard as soon as it has finished a layer."""
    os.kill(process_of(shard, output), signal.SIGKILL)


def process_of(shard: int, output: Path) -> int:
    """The number of the process that collects a shard, once it has finished a layer."""
    partial = output / "shards" / f"{shard}-of-{SHARDS}.h5.partial"
    for _ in range(ATTEMPTS_TO_FIND):
        if (partial / "layer-1.h5").exists():
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    arguments = (process / "cmdline").read_bytes().decode().split("\0")
                except OSError:
                    continue
                if Path(arguments[0]).name == "gambit" and f"{shard}/{SHARDS}" in arguments and str(output) in arguments:
                    return int(process.name)
        time.sleep(0.05)
    raise TimeoutError(f"nobody collects shard {shard}")


def require_same_artifacts(one: Path, other: Path) -> None:
    names = ["sample.h5", "statistics.h5"]
    names += sorted(path.name for path in one.glob("thresholds*.safetensors"))
    names += sorted(f"bundle/{path.name}" for path in (one / "bundle").iterdir())
    for name in names:
        require((one / name).read_bytes() == (other / name).read_bytes(), f"{name} differs")
    reports = [json.loads((folder / "report.json").read_text()) for folder in (one, other)]
    for report in reports:
        del report["generation"]["tokens_per_second"]
    require(reports[0] == reports[1], "report.json differs in more than the rate of decoding")
    require(json.loads((other / "jobs" / "verify.json").read_text())["ok"], "the bundle was not verified")
