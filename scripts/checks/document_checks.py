"""jsonschema reads what people and scripts read: manifest, report and pipelines; an XML parser reads the page."""

import json
import math
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import yaml

from outcome import require
from run_directory import REPOSITORY, RunDirectory
from schema_checks import errors


def manifest_follows_its_schema(run: RunDirectory) -> None:
    """bundle: manifest.json follows schemas/manifest.schema.json."""
    validate(json.loads((run.bundle / "manifest.json").read_text()), "manifest")


def report_follows_its_schema(run: RunDirectory) -> None:
    """report.json follows schemas/report.schema.json."""
    validate(json.loads(run.report.read_text()), "report")


def pipelines_follow_their_schema(run: RunDirectory) -> None:
    """Every file of pipelines/ follows schemas/pipeline.schema.json, or compare.schema.json where it is called so."""
    pipelines = sorted((REPOSITORY / "pipelines").glob("*.yaml"))
    require(bool(pipelines), "there are no pipelines")
    for path in pipelines:
        validate(yaml.safe_load(path.read_text()), "compare" if path.name.startswith("compare") else "pipeline")


def page_stands_alone(run: RunDirectory) -> None:
    """report.html is well-formed, refers to nothing outside of itself, and describes each of its drawings."""
    require_alone(run.root / "report.html")


def require_alone(path: Path) -> None:
    text = path.read_text()
    declaration, _, page = text.partition("\n")
    require(declaration == "<!DOCTYPE html>", f"it begins with {declaration!r}")
    root = ElementTree.fromstring(page)
    require(root.find("head/meta[@name='viewport']") is not None, "it does not say how wide a phone is")
    for word in ("http:", "https:", "//www", "url(", "@import", "src=", "href=", "<script", "<link"):
        require(word not in text, f"it has {word!r}")
    drawings = root.findall(".//svg[@role='img']")
    require(len(drawings) >= 4, f"it has {len(drawings)} drawings")
    names = {element.get("id") for element in root.iter() if element.get("id")}
    for drawing in drawings:
        require(set(drawing.get("aria-labelledby", "?").split()) <= names, "a drawing's title is missing")
        require(all((drawing.find(tag).text or "").strip() for tag in ("title", "desc")), "a drawing says nothing")


def report_is_plausible(run: RunDirectory) -> None:
    """report.json: sparsity costs perplexity, and realised shares are near the asked one."""
    report = json.loads(run.report.read_text())
    dense = report["dense"]["perplexity"]
    require(bool(report["methods"]), "it compares no method")
    for row in report["methods"]:
        what = f"{row['method']} at {row['sparsity']}"
        require(dense < row["perplexity"] < math.inf, f"{what}: perplexity {row['perplexity']}")
        require(row["kl"] > 0, f"{what}: KL {row['kl']}")
        require(0 < row["activated_share"] < 1, f"{what}: activated share {row['activated_share']}")
        # Held-out text is not the calibration set, whose share is exact to 0.3 points.
        rows, columns = row["realised"]["ffn"], row["realised"].get("down") or row["realised"]["ffn"]
        inputs = row["realised"].get("input") or 0  # of the rows that decide: the other cuts save as much less
        require(abs((rows + columns + inputs) / 2 - row["sparsity"]) < 0.03, f"{what}: realised {row['realised']}")


def channelwise_thresholds_pay(run: RunDirectory) -> None:
    """report.json: at the same bytes of the FFN alone, chess is nearer to the dense model than cats, energy than both."""
    rows = [row for row in json.loads(run.report.read_text())["methods"] if not row["attention"]]
    divergence = {(row["method"], row["sparsity"]): row["kl"] for row in rows}
    for better, worse in (("chess", "cats"), ("energy", "chess")):
        pairs = [(kl, divergence[worse, sparsity]) for (method, sparsity), kl in divergence.items()
                 if method == better and (worse, sparsity) in divergence]
        require(bool(pairs), f"it has no sparsity at which {better} and {worse} were measured")
        for one, other in pairs:
            require(one < other, f"KL of {better} {one}, of {worse} {other}")


def validate(document: object, name: str) -> None:
    found = errors(document, name)
    require(not found, "; ".join(found[:3]))


CHECKS = (
    manifest_follows_its_schema, report_follows_its_schema, pipelines_follow_their_schema, report_is_plausible,
    channelwise_thresholds_pay, page_stands_alone,
)
