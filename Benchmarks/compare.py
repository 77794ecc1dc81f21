#!/usr/bin/env python3
"""Gambit's calibration pass beside PyTorch's forward pass, in one run on one machine.

    "$(scripts/python-environment oracles)" Benchmarks/compare.py "$(scripts/fetch-model)"

The two take turns, so that a machine that slows down slows both. Prints a table; the aim is a ratio of 1.3.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
ROUNDS = 3
COLUMNS = ("tokens_per_second", "gemm_peak_gflops", "share_of_peak")


def measure(command: list[str]) -> dict:
    return json.loads(subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE).stdout)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: compare.py MODEL.gguf")
    model = str(Path(sys.argv[1]).resolve())
    commands = {
        "gambit": [str(REPOSITORY / ".build/release/gambit"), "benchmark", "--model", model, "--json"],
        "pytorch": [sys.executable, "Benchmarks/pytorch_forward.py", model, "--repetitions", "1"],
    }
    measured: dict[str, list[dict]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            measured[name].append(measure(command))

    print(f"{'':10}{'tokens/s':>12}{'GEMM GFLOP/s':>14}{'share of peak':>15}")
    median = {name: {column: statistics.median(row[column] for row in rows) for column in COLUMNS}
              for name, rows in measured.items()}
    for name, row in median.items():
        print(f"{name:10}{row['tokens_per_second']:12.0f}{row['gemm_peak_gflops']:14.0f}{row['share_of_peak']:15.1%}")
    ratio = median["gambit"]["tokens_per_second"] / median["pytorch"]["tokens_per_second"]
    print(f"gambit / pytorch: {ratio:.2f}")


if __name__ == "__main__":
    main()
