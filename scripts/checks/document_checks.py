"""jsonschema reads what people and scripts read: manifest, report and pipelines."""

import json
import math
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from outcome import require
from run_directory import REPOSITORY, RunDirectory


def manifest_follows_its_schema(run: RunDirectory) -> None:
    """bundle: manifest.json follows schemas/manifest.schema.json."""
    validate(json.loads((run.bundle / "manifest.json").read_text()), "manifest")


def report_follows_its_schema(run: RunDirectory) -> None:
    """report.json follows schemas/report.schema.json."""
    validate(json.loads(run.report.read_text()), "report")


def pipelines_follow_their_schema(run: RunDirectory) -> None:
    """Every pipeline of pipelines/ follows schemas/pipeline.schema.json."""
    pipelines = sorted((REPOSITORY / "pipelines").glob("*.yaml"))
    require(bool(pipelines), "there are no pipelines")
    for path in pipelines:
        validate(yaml.safe_load(path.read_text()), "pipeline")


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
        require(abs((rows + columns) / 2 - row["sparsity"]) < 0.03, f"{what}: realised {row['realised']}")


def channelwise_thresholds_pay(run: RunDirectory) -> None:
    """report.json: at the same sparsity of the FFN alone, chess is nearer to the dense model than cats."""
    rows = [row for row in json.loads(run.report.read_text())["methods"] if not row["attention"]]
    divergence = {(row["method"], row["sparsity"]): row["kl"] for row in rows}
    pairs = [(divergence["chess", sparsity], kl) for (method, sparsity), kl in divergence.items()
             if method == "cats" and ("chess", sparsity) in divergence]
    require(bool(pairs), "it has no sparsity at which both were measured")
    for chess, cats in pairs:
        require(chess < cats, f"KL of chess {chess}, of cats {cats}")


def validate(document: object, name: str) -> None:
    schema = json.loads((REPOSITORY / "schemas" / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    errors = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(document)]
    require(not errors, "; ".join(errors[:3]))


CHECKS = (
    manifest_follows_its_schema, report_follows_its_schema, pipelines_follow_their_schema, report_is_plausible,
    channelwise_thresholds_pay,
)
