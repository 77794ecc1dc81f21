#!/usr/bin/env python3
"""A model larger than memory, stage by stage in a control group with a hard limit: how long, and what that time went to.

    sudo "$(scripts/python-environment)" Benchmarks/streaming.py MODEL [--limit 3GB] [--stages sample collect …]

Runs Benchmarks/random_7b.yaml on MODEL (Benchmarks/make_random_model.py makes one), each stage with the page cache empty at
its start, and prints a Markdown table. The limit counts all of a process's memory and the pages it reads, of which the
kernel drops the oldest: a stage that needs more memory of its own is killed. Beside the time of `collect` stand those that
its operations take at the rate of products alone, and its reads at the disk's, which `gambit plan` measures. On a machine
that others share the first changes by half within seconds: `collect` is halted every few seconds for products of the FFN's
shape by the same library, as many threads side by side, and their mean rate counts. Needs Linux, root, oneDNN, and a few
times the model's size on the disk.
"""

import argparse
import ctypes
import ctypes.util
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
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


class Products:
    """Products of one sequence with the FFN's weights, on as many threads as there are processors, while a process is halted."""

    between = 6.0

    def __init__(self, rows: int, inner: int, columns: int) -> None:
        self.shape, self.threads = (rows, columns, inner), os.cpu_count() or 1
        self.library, self.openmp = (ctypes.CDLL(ctypes.util.find_library(name)) for name in ("dnnl", "gomp"))
        self.weights = np.full((columns, inner), 0.5, np.float32)
        self.inputs = np.full((self.threads, rows, inner), 0.5, np.float32)
        self.outputs = np.zeros((self.threads, rows, columns), np.float32)
        self.halted, self.operations, self.seconds, self.next = 0.0, 0.0, 0.0, time.monotonic() + self.between

    def release(self) -> None:
        self.weights = self.inputs = self.outputs = None

    def watch(self, process: int) -> None:
        """Halts the process where it is time to, and measures."""
        begun = time.monotonic()
        if begun < self.next:
            return
        os.kill(process, signal.SIGSTOP)
        try:
            self.measure()
        finally:
            os.kill(process, signal.SIGCONT)
        now = time.monotonic()
        self.halted, self.next = self.halted + now - begun, now + self.between

    def measure(self) -> None:
        threads = [threading.Thread(target=self.multiply, args=(index,)) for index in range(self.threads)]
        begun = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.seconds += time.monotonic() - begun
        self.operations += 2.0 * self.threads * np.prod([float(extent) for extent in self.shape])

    def multiply(self, index: int) -> None:
        self.openmp.omp_set_num_threads(1)
        rows, columns, inner = (ctypes.c_int64(extent) for extent in self.shape)
        one, zero = ctypes.c_float(1), ctypes.c_float(0)
        a, b, c = (ctypes.c_void_p(array.ctypes.data) for array in (self.inputs[index], self.weights, self.outputs[index]))
        self.library.dnnl_sgemm(
            ctypes.c_char(b"N"), ctypes.c_char(b"T"), rows, columns, inner, one, a, inner, b, inner, zero, c, columns)


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
    configuration = json.loads((model / "config.json").read_text())
    products = None
    bytes_of_model = sum(path.stat().st_size for path in model.glob("*.safetensors"))
    root = Path(tempfile.mkdtemp(prefix="gambit-streaming-", dir=ARTIFACTS))
    group = ControlGroup(arguments.limit)
    try:
        planned, times = plan(model), {}
        print("| stage | time | peak memory |\n|---|---:|---:|")
        for stage in arguments.stages:
            command = (
                ["verify", root / "run" / "bundle"] if stage == "verify" else
                ["run", PIPELINE, "--output", root / "run", "--until", stage, "--set", f"model.path={model}"])
            if stage == "collect":  # not before: a child's peak memory begins with that of its parent
                products = Products(512, configuration["hidden_size"], configuration["intermediate_size"])
            watch = products.watch if products and stage == "collect" else None
            empty_page_cache()
            # The cache remembers digests between stages.
            seconds, memory = gambit(
                *command, environment={"GAMBIT_CACHE": str(root / "cache")}, enter=group.enter, watch=watch)
            if products and stage == "collect":
                products.release()
                seconds -= products.halted
            times[stage] = seconds
            print(f"| {stage} | {seconds:.0f} s | {memory / 1e9:.2f} GB |", flush=True)
    finally:
        group.remove()
        shutil.rmtree(root)
    if products is None:
        return
    rate = products.operations / products.seconds
    disk = planned["costs"]["disk_bytes_per_second"]
    operations = next(stage["operations"] for stage in planned["stages"] if stage["name"] == "collect")
    computing, reading = operations / rate, bytes_of_model / disk
    print(
        f"\n`collect`: {operations / 1e12:.1f}·10¹² operations at {rate / 1e9:.0f} GFLOPS take {computing:.0f} s, "
        f"{bytes_of_model / 1e9:.1f} GB at {disk / 1e9:.2f} GB/s {reading:.0f} s; it took "
        f"{times['collect'] / max(computing, reading):.2f} times the larger.")


if __name__ == "__main__":
    main()
