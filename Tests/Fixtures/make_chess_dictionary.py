"""Writes threshold dictionaries as the authors of CHESS do, by PyTorch.

    "$(scripts/python-environment oracles)" Tests/Fixtures/make_chess_dictionary.py

Two layers of four channels; every number is exact in bfloat16. Made with torch 2.15.0.
"""

from pathlib import Path

import torch

FOLDER = Path(__file__).resolve().parents[1] / "InterchangeTests" / "Fixtures"
LISTS = {
    "attention_inputs_thresholds": [[0.5], [0.25]],
    "attention_outputs_thresholds": [[0.125], [0.0625]],
    "gate_proj_states_thresholds_cats": [[0.75], [1.5]],
    "gate_proj_states_thresholds_chess": [[0.0, 1.25, 0.375, float("inf")], [3.0, 0.875, 0.01171875, 96.0]],
}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, dtype in (("bfloat16", torch.bfloat16), ("float16", torch.float16), ("float32", torch.float32)):
        tensors = {key: [torch.tensor(values, dtype=dtype) for values in layers] for key, layers in LISTS.items()}
        torch.save(tensors, FOLDER / f"chess-{name}.pt")
    # Views of one storage, as a loop over rows of a matrix leaves them.
    rows = torch.tensor(LISTS["gate_proj_states_thresholds_chess"])
    tensors = {key: [torch.tensor(values) for values in layers] for key, layers in LISTS.items()}
    torch.save(tensors | {"gate_proj_states_thresholds_chess": [rows[0], rows[1]]}, FOLDER / "chess-views.pt")
    torch.save({"state": torch.nn.Linear(2, 2)}, FOLDER / "module.pt")


if __name__ == "__main__":
    main()
