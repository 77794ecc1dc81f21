#!/usr/bin/env python3
"""A model larger than memory, stage by stage in a control group with a hard limit: how long, and what that time went to.

    sudo "$(scripts/python-environment)" Benchmarks/streaming.py MODEL [--limit 3GB] [--stages sample collect …]

Runs Benchmarks/random_7b.yaml on MODEL (Benchmarks/make_random_model.py makes one), each stage with the page cache empty at
its start, and prints a Markdown table. The limit counts all of a process's memory and the pages it reads, of which the
kernel drops the oldest: a stage that needs more memory of its own is killed. Beside the time of `collect` stand those that
its operations take at the peak rate of products, and its reads at the disk's, both measured before and after by
`gambit plan`. Needs Linux, root, and a few times the model's size on the disk.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from processes import ARTIFACTS, PROGRAM, REPOSITORY, gambit

PIPELINE = REPOSITORY / "Benchmarks" / "random_7b.yaml"
STAGES = ["sample", "collect", "solve", "export", "verify"]
UNITS = {"MB": 10**6, "GB": 10**9}


class ControlGroup:
    """A group of processes that together get no more than so many bytes of memory, by either version of the interface."""

    def __init__(self, limit: int) -> None:
        first = Path("/sys/fs/cgroup/memory")
        self.folder = (first if first.is_dir() else Path("/sys/fs/cgroup")) / f"gambit-{os.getpid()}"
        self.folder.mkdir()
        name = "memory.limit_in_bytes" if first.is_dir() else "memory.max"
        (self.folder / name).write_text(str(limit))
        if not first.is_dir():
            (self.folder / "memory.swap.max").write_text("0")

    def enter(self) -> None:
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self) -> None:
        self.folder.rmdir()


def empty_page_cache() -> None:
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("1")


def plan(model: Path) -> dict:
    answer = subprocess.run(
        [PROGRAM, "plan", PIPELINE, "--set", f"model.path={model}", "--json", "--quiet"], stdout=subprocess.PIPE)
    return json.loads(answer.stdout)


def size(text: str) -> int:
    number, unit = re.fullmatch(r"([\d.]+)([MG]B)", text).groups()
    return int(float(number) * UNITS[unit])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--limit", type=size, default=size("3GB"))
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    arguments = parser.parse_args()
    model = arguments.model.resolve()
    bytes_of_model = sum(path.stat().st_size for path in model.glob("*.safetensors"))
    root = Path(tempfile.mkdtemp(prefix="gambit-streaming-", dir=ARTIFACTS))
    group = ControlGroup(arguments.limit)
    try:
        plans, times = [plan(model)], {}
        print("| stage | time | peak memory |\n|---|---:|---:|")
        for stage in arguments.stages:
            command = (
                ["verify", root / "run" / "bundle"] if stage == "verify" else
                ["run", PIPELINE, "--output", root / "run", "--until", stage, "--set", f"model.path={model}"])
            empty_page_cache()
            # The cache remembers digests between stages.
            seconds, memory = gambit(*command, environment={"GAMBIT_CACHE": str(root / "cache")}, enter=group.enter)
            times[stage] = seconds
            print(f"| {stage} | {seconds:.0f} s | {memory / 1e9:.2f} GB |", flush=True)
        plans.append(plan(model))
    finally:
        group.remove()
        shutil.rmtree(root)
    if "collect" not in times:
        return
    rate = max(each["costs"]["gemm_gflops"] for each in plans) * 1e9
    disk = max(each["costs"]["disk_bytes_per_second"] for each in plans)
    operations = next(stage["operations"] for stage in plans[0]["stages"] if stage["name"] == "collect")
    computing, reading = operations / rate, bytes_of_model / disk
    print(
        f"\n`collect`: {operations / 1e12:.1f}·10¹² operations at {rate / 1e9:.0f} GFLOPS take {computing:.0f} s, "
        f"{bytes_of_model / 1e9:.1f} GB at {disk / 1e9:.2f} GB/s {reading:.0f} s; it took "
        f"{times['collect'] / max(computing, reading):.2f} times the larger.")


if __name__ == "__main__":
    main()
