#!/usr/bin/env python3
"""Where the loss of sparse decoding is: KL to the dense model when parts of a method are replaced by perfect ones.

    gambit run pipelines/smollm2.yaml --output artifacts/smollm2 --until collect
    "$(scripts/python-environment oracles)" Benchmarks/headroom.py "$(scripts/fetch-model)"

Thresholds are Gambit's, from its statistics. What an oracle, a price over layers or a linear prediction needs besides
is measured on the same calibration text. Rows are measured on windows of 512 tokens of WikiText-2's test text, sparse on
every position, with float32 weights. Prints a table in Markdown; `--json` prints the shares realised, too.

What is done is kept in artifacts/headroom, and not done again: delete the folder to begin anew.
"""

import argparse
import json
import sys
from pathlib import Path

import torch

from divergence import divergence, log_probabilities, mean_and_error
from headroom_rows import FOLDER, GROUPS, HELD_OUT, REPOSITORY, SPARSITIES, Laboratory, Rows
from sparse_llama import SparseLlama, Tally

# What the rows of each group are called in the table, by their names in the results.
TITLES = {
    "chess": {
        "chess": "`chess`, rms",
        "chess, price": "the same, one price over all layers",
    },
    "oracle": {
        "oracle": "oracle: the product known before reading",
        "oracle, price": "the same, one price over all layers",
    },
    "energy": {
        "energy": "`energy`",
        "energy, exact inputs": "the same, input cut without error",
        "energy, oracle rows": "the same, rows by the oracle",
        "energy, both": "the same, both",
        "energy, one cut": "the same without its second cut (reads more)",
        "energy, attention": "the same, query and output inputs cut too",
        "query": "query inputs alone",
        "output": "output inputs alone",
    },
    "repaired": {
        "chess, repaired": "`chess`, the dropped part predicted",
        "energy, repaired": "`energy`, the dropped part predicted",
    },
}


def measure(lab: Laboratory, rows: Rows, results: dict) -> None:
    """KL and shares of each row on each window, written down after each window."""
    for index, ids in enumerate(lab.windows(HELD_OUT, lab.options.windows)):
        missing = {key: cuts for key, cuts in rows.items() if str(index) not in results.setdefault(str(key), {})}
        if not missing:
            continue
        print(f"headroom: window {index + 1} of {lab.options.windows}", file=sys.stderr)
        start = lab.model.embed(ids)
        dense = log_probabilities(lab.model, lab.model.run(start, lab.dense))
        for key, cuts in missing.items():
            tally = Tally()
            sparse = log_probabilities(lab.model, lab.model.run(start, cuts, tally))
            results[str(key)][str(index)] = {"kl": divergence(dense, sparse), "shares": tally.shares()}
        (FOLDER / "results.json").write_text(json.dumps(results))


def weights_read(model: SparseLlama, shares: dict[str, float]) -> float:
    """Of what a dense token reads, embedding row and output head included."""
    layer = model.layers[0]
    place = {"rows": "ffn_up", "columns": "ffn_down", "inputs": "ffn_gate", "query": "attn_q",
             "output": "attn_output"}
    saved = sum(shares.get(name, 0) * layer[matrix].numel() for name, matrix in place.items())
    whole = sum(part.numel() for part in layer.values())
    rest = model.head.numel() + 2 * model.norm.numel()
    return 1 - saved * len(model.layers) / (whole * len(model.layers) + rest)


def summary(lab: Laboratory, results: dict) -> list[dict]:
    """Over the windows asked for, which all rows have."""
    lines = []
    for name in titles(lab.options):
        for sparsity in SPARSITIES:
            windows = [results[str((name, sparsity))][str(index)] for index in range(lab.options.windows)]
            shares = {place: mean_and_error([window["shares"][place] for window in windows])[0]
                      for place in windows[0]["shares"]}
            kl, error = mean_and_error([window["kl"] for window in windows])
            lines.append({"row": name, "sparsity": sparsity, "shares": shares,
                          "weights_read": weights_read(lab.model, shares), "kl": kl, "kl_stderr": error})
    return lines


def titles(options: argparse.Namespace) -> dict[str, str]:
    return {name: title for group in options.groups for name, title in TITLES[group].items()}


def table(lines: list[dict], titles: dict[str, str]) -> str:
    text = ["| | " + " | ".join(f"KL at {k:.0%} (weights read)" for k in SPARSITIES) + " |",
            "|---|" + "---:|" * len(SPARSITIES)]
    for name, title in titles.items():
        cells = [f"{line['kl']:.4f} ± {line['kl_stderr']:.4f} ({line['weights_read']:.1%})"
                 for line in lines if line["row"] == name]
        text.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(text)


def absolute(path: str) -> Path:
    return Path(path).resolve()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=absolute, help="GGUF file of a Llama")
    parser.add_argument("--gambit", type=absolute, default=REPOSITORY / ".build/release/gambit")
    parser.add_argument("--statistics", type=absolute, default=REPOSITORY / "artifacts/smollm2/statistics.h5")
    parser.add_argument("--windows", type=int, default=12, help="of held-out text (default: 12)")
    parser.add_argument("--groups", nargs="+", choices=GROUPS, default=list(GROUPS), help="of rows (default: all)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    lab, file = Laboratory(options), FOLDER / "results.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    with torch.inference_mode():
        for group in options.groups:
            measure(lab, GROUPS[group](lab), results)
    lines = summary(lab, results)
    print(json.dumps({"windows": options.windows, "rows": lines}, indent=2) if options.json
          else table(lines, titles(options)))


if __name__ == "__main__":
    main()
