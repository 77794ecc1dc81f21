#!/usr/bin/env python3
"""PyTorch opens what `gambit handoff --to chess-pt` writes, and it is the bundle's thresholds.

    .venv-oracles/bin/python scripts/handoffs/check_chess.py BUNDLE [PROGRAM]

That applying them makes the bundle's masks is in `make test`, in numpy. Exits with 1 where something is another.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file

REPOSITORY = Path(__file__).resolve().parents[2]
LISTS = {"attention_inputs_thresholds": "attention.query_threshold", "attention_outputs_thresholds": "attention.output_threshold",
         "gate_proj_states_thresholds_chess": "ffn.threshold"}


def main(bundle: Path, program: Path = REPOSITORY / ".build" / "release" / "gambit") -> int:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "thresholds.pt"
        subprocess.run([program, "handoff", bundle, "--to", "chess-pt", "--output", path, "--quiet"], check=True)
        lists = torch.load(path, weights_only=True)
    thresholds = load_file(bundle / "thresholds.safetensors")
    same = [torch.equal(values, thresholds[f"layers.{layer}.{kind}"])
            for name, kind in LISTS.items() for layer, values in enumerate(lists[name])]
    shapes = {tuple(values.shape) for values in lists["gate_proj_states_thresholds_cats"]}
    good = all(same) and len(same) == len(thresholds) and shapes == {(1,)}
    print(f"{'passed' if good else 'FAILED'}  chess-pt in PyTorch: {sum(same)} of {len(thresholds)} tensors bit for bit")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
