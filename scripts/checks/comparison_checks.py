"""`gambit compare` on the real model, with a finished run's statistics."""

import csv
import json
import shutil
from pathlib import Path

import document_checks
import gambit
import report_pages
from outcome import require
from run_directory import REPOSITORY, RunDirectory

COMPARISON = """\
model: {{path: {model}}}
statistics: {statistics}
evaluate: {{files: [{text}], sequence_length: 256, tokens: 512}}
rows:
  - {{method: chess, sparsity: [0.3, 0.6]}}
  - {{method: cats, sparsity: [0.5]}}
  - {{weights: q4}}
  - {{bundle: {bundle}}}
"""


def comparison_goes_on(run: RunDirectory, model: Path, scratch: Path) -> None:
    """compare: what a killed comparison had finished is kept, and the rest is measured."""
    path, output = written(run, model, scratch), scratch / "comparison"
    gambit.run("compare", path, "--output", output)
    cells = sorted((output / "cells").iterdir())
    require(len(cells) == 6, f"{len(cells)} rows were kept")
    first = (output / "compare.json").read_bytes()
    cells[0].unlink()
    cells[1].write_text("{")  # as no atomic write leaves it
    others = {cell: cell.stat().st_mtime_ns for cell in cells[2:]}
    gambit.run("compare", path, "--output", output)
    require(all(cell.stat().st_mtime_ns == time for cell, time in others.items()), "a finished row was written again")
    require((output / "compare.json").read_bytes() == first, "the same rows have other figures")


def comparison_is_readable(run: RunDirectory, model: Path, scratch: Path) -> None:
    """compare: its JSON follows the schema, its CSV has the same figures, its page stands alone."""
    output = scratch / "comparison"
    document = json.loads((output / "compare.json").read_text())
    document_checks.validate(document, "comparison")
    with open(output / "compare.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    require([row["label"] for row in rows] == [row["label"] for row in document["rows"]], "the CSV has other rows")
    for ours, row in zip(rows[1:], document["rows"][1:]):
        require(float(ours["kl"]) == row["kl"], f"{row['label']}: KL {ours['kl']}, {row['kl']}")
    chess, cats = document["rows"][1:3], document["rows"][3]
    require(chess[0]["kl"] < cats["baseline_kl"] < min(chess[1]["kl"], cats["kl"]), "cats is not compared with chess")
    document_checks.require_alone(output / "report.html")


def pages_fit_screens(run: RunDirectory, scratch: Path) -> None:
    """report.html fits a phone and a desk, in light and dark, where Chromium is installed."""
    if shutil.which(report_pages.BROWSER):
        for page in (run.root / "report.html", scratch / "comparison" / "report.html"):
            report_pages.check(page, scratch / "screens")


def written(run: RunDirectory, model: Path, scratch: Path) -> Path:
    path = scratch / "compare.yaml"
    text = REPOSITORY / "pipelines/corpora/wikitext2-test.jsonl"
    path.write_text(COMPARISON.format(model=model, statistics=run.statistics, text=text, bundle=run.bundle))
    return path
