#!/usr/bin/env python3
"""What `gambit plan` predicts beside what each stage then takes: time, peak memory, scratch and artifacts.

    python3 Benchmarks/plan.py PIPELINE.yaml [--shards N] [--until STAGE] [--set key=value …]

Prints a Markdown table of both and of their ratio, measured over predicted. Stages run one after the other in processes of
their own, as a cluster runs them; each also looks whether the stages before it are up to date, which hashes their files.
Of several shards, the first one stands in the table. Needs Linux.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from processes import ARTIFACTS, PROGRAM, gambit

STAGES = ["sample", "collect", "merge", "solve", "export", "verify", "evaluate"]
ONLY_WITH_SHARDS = {"merge", "verify"}
KINDS = ["seconds", "memory", "scratch", "artifacts"]
NEGLIGIBLE_SECONDS, NEGLIGIBLE_BYTES = 1, 1_000_000


def folder_bytes(*folders: Path) -> int:
    """Blocks that files take, those that were removed but are open not among them."""
    total = 0
    for folder in folders:
        for path in folder.rglob("*"):
            try:
                total += path.stat().st_blocks * 512 if path.is_file() else 0
            except OSError:
                continue
    return total


def open_scratch(process: int) -> int:
    """Bytes of files without a name that a process has open."""
    total = 0
    try:
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            if "(deleted)" in os.readlink(descriptor):
                total += descriptor.stat().st_blocks * 512
    except OSError:
        pass
    return total


def measured(command: list[object], folders: list[Path], environment: dict[str, str]) -> dict[str, float]:
    before, most = folder_bytes(*folders), 0

    def watch(process: int) -> None:
        nonlocal most
        most = max(most, folder_bytes(*folders) + open_scratch(process))

    seconds, memory = gambit(*command, environment=environment, watch=watch)
    after = folder_bytes(folders[0])
    return {
        "seconds": seconds, "memory": memory, "artifacts": after - before if after > before else 0,
        "scratch": max(most - max(after, before), 0)}


def text(value: float, kind: str) -> str:
    if kind == "seconds":
        return f"{value:.1f} s"
    return f"{value / 1e9:.2f} GB" if value >= 1e9 else f"{value / 1e6:.0f} MB"


def commands(stage: str, shards: int, output: Path, run: list[object]) -> list[list[object]]:
    """What a stage is made of; what is measured first."""
    if shards == 1:
        return [[*run, "--until", stage]]
    parts = [output / "shards" / f"{index}-of-{shards}.h5" for index in range(1, shards + 1)]
    return {
        "collect": [[*run, "--shard", f"{index}/{shards}"] for index in range(1, shards + 1)],
        "merge": [["merge", *parts, "--output", output / "statistics.h5"]],
        "verify": [["verify", output / "bundle"]],
    }.get(stage, [[*run, "--until", stage]])


def row(stage: str, predicted: dict[str, float], found: dict[str, float]) -> str:
    cells = [stage]
    for kind in KINDS:
        least = NEGLIGIBLE_SECONDS if kind == "seconds" else NEGLIGIBLE_BYTES
        negligible = max(found[kind], predicted[kind]) < least or predicted[kind] == 0
        ratio = "–" if negligible else f"{found[kind] / predicted[kind]:.2f}"
        cells += [text(predicted[kind], kind), text(found[kind], kind), ratio]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("pipeline")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--until", default="evaluate", choices=STAGES)
    parser.add_argument("--set", action="append", default=[])
    arguments = parser.parse_args()
    settings = [word for setting in arguments.set for word in ("--set", setting)]
    root = Path(tempfile.mkdtemp(prefix="gambit-plan-", dir=ARTIFACTS))
    output, cache = root / "run", root / "cache"
    output.mkdir()
    cache.mkdir()
    environment = {"GAMBIT_CACHE": str(cache)}
    try:
        answer = subprocess.run(
            [PROGRAM, "plan", arguments.pipeline, "--output", output, "--shards", str(arguments.shards), "--json", "--quiet",
             *settings], stdout=subprocess.PIPE, env=os.environ | environment)
        plan = {stage["name"]: stage for stage in json.loads(answer.stdout)["stages"]}
        print("| stage | " + " | ".join(f"{kind}, predicted | measured | ratio" for kind in KINDS) + " |")
        print("|---|" + "---:|" * (3 * len(KINDS)))
        for stage in STAGES[: STAGES.index(arguments.until) + 1]:
            if arguments.shards == 1 and stage in ONLY_WITH_SHARDS:
                continue
            run = ["run", arguments.pipeline, "--output", output, *settings]
            found = [
                measured(command, [output, cache], environment)
                for command in commands(stage, arguments.shards, output, run)]
            print(row(stage, plan[stage], found[0]), flush=True)
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
