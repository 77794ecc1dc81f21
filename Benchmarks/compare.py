#!/usr/bin/env python3
"""Gambit's calibration pass beside PyTorch's forward pass, in one run on one machine.

    "$(scripts/python-environment oracles)" Benchmarks/compare.py "$(scripts/fetch-model)"

The two take turns, so that a machine that slows down slows both. Prints a table; the aim is 1.3 times PyTorch's forward pass.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
ROUNDS = 3
COLUMNS = ("tokens_per_second", "forward_tokens_per_second", "gemm_peak_gflops", "share_of_peak")


def measure(command: list[str]) -> dict:
    return json.loads(subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE).stdout)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: compare.py MODEL.gguf")
    model = str(Path(sys.argv[1]).resolve())
    commands = {
        "gambit": [str(REPOSITORY / ".build/release/gambit"), "evaluate", "throughput", "--model", model, "--json"],
        "pytorch": [sys.executable, "Benchmarks/pytorch_forward.py", model, "--repetitions", "1"],
    }
    measured: dict[str, list[dict]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            measured[name].append(measure(command))

    median = {name: {column: statistics.median(row.get(column, row["tokens_per_second"]) for row in rows)
                     for column in COLUMNS} for name, rows in measured.items()}
    print(f"{'':10}{'tokens/s':>12}{'forward only':>14}{'GEMM peak, GFLOP/s':>20}{'share of peak':>15}")
    for name, row in median.items():
        print(f"{name:10}{row['tokens_per_second']:12.0f}{row['forward_tokens_per_second']:14.0f}"
              f"{row['gemm_peak_gflops']:20.0f}{row['share_of_peak']:15.1%}")
    share = statistics.median(row["share_in_products"] for row in measured["gambit"])
    print(f"gambit's threads are inside matrix products {share:.1%} of the time")
    pytorch = median["pytorch"]["tokens_per_second"]
    print(f"collect / pytorch's forward pass: {median['gambit']['tokens_per_second'] / pytorch:.2f}")
    print(f"forward pass / pytorch's:         {median['gambit']['forward_tokens_per_second'] / pytorch:.2f}")
    print(f"most that the peak allows:        {1 / median['pytorch']['share_of_peak']:.2f}")


if __name__ == "__main__":
    main()
