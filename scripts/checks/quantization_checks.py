"""Bundles of quantised weights beside numpy: the records are those that numpy makes of the model's weights."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

import gambit
from bundle_checks import decompressed_weights
from document_checks import validate
from outcome import require
from quantized_rows import PLANES, decode, encode, joined
from run_directory import REPOSITORY, RunDirectory

sys.path.append(str(REPOSITORY / "Documentation" / "examples"))
import read_bundle  # noqa: E402

LAYER_PARTS = ("self_attn.q_proj.weight_t", "self_attn.k_proj.weight", "self_attn.o_proj.weight_t",
               "mlp.gate_proj.weight", "mlp.up_proj.weight", "mlp.down_proj.weight_t")


def quantised_bundles_are_numpys(run: RunDirectory, model: Path, scratch: Path) -> None:
    """export: int8, q4 and both kinds of bundles in planes verify, and their records are those that numpy makes of f32's weights."""
    sources = source_weights(export(run, model, scratch / "f32" / "bundle", "f32"), run)
    for kind in ("int8", "q4"):
        bundle = export(run, model, scratch / kind / "bundle", kind)
        gambit.ask("verify", bundle.bundle)
        with decompressed_weights(bundle) as path, safe_open(path, "numpy") as file:
            for name, weights in sources.items():
                stored = "int8" if name == "model.embed_tokens.weight" else kind
                records = file.get_tensor(name)
                require(np.array_equal(records, encode(stored, weights)), f"{kind}: {name} has other bytes")
                error = np.abs(decode(stored, records, weights.shape[1]) - weights).max()
                require(error < np.abs(weights).max() / 10, f"{kind}: {name} is off by {error}")
        shutil.rmtree(bundle.bundle)
    for kind in PLANES:
        planes_are_numpys(run, model, scratch, kind, sources)


def planes_are_numpys(
    run: RunDirectory, model: Path, scratch: Path, kind: str, sources: dict[str, np.ndarray]
) -> None:
    thresholds = scratch / "graded.safetensors"
    write_graded_thresholds(run, thresholds, kind)
    bundle = export(run, model, scratch / kind / "bundle", kind, thresholds=thresholds)
    validate(json.loads((bundle.bundle / "manifest.json").read_text()), "manifest")
    prompt = scratch / "prompt-of-planes.txt"
    prompt.write_text("The river rose in the night, and\n")
    for check in gambit.ask("verify", bundle.bundle, "--prompts", prompt, "--tokens", 12)["checks"]:
        require(check["ok"], f"{kind}: {check['name']}: {check['detail']}")
    with decompressed_weights(bundle) as path, safe_open(path, "numpy") as file:
        for name, weights in in_planes(sources).items():
            records = [file.get_tensor(name.replace(".weight", f".{plane}")) for plane in ("high", "low")]
            for plane, stored in zip(PLANES[kind], records):
                require(np.array_equal(stored, encode(plane, weights)), f"{name}: its {plane} are other ones")
            columns = weights.shape[1]
            whole = weights.astype(np.float16) if kind == "f16-planes" else decode("int8", encode("int8", weights), columns)
            require(np.array_equal(joined(kind, *records, columns), whole), f"{name}: its planes are not the weights")
    message = gambit.refuse("export", "--model", model, "--thresholds", thresholds, "--output", scratch / "refused")
    require(kind in message, message)
    shutil.rmtree(bundle.bundle)


def in_planes(sources: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Matrices as they lie in planes: by input in attention, gate and up projections row by row."""
    result = {}
    for name, weights in sources.items():
        if "k_proj" in name:
            result[name + "_t"] = weights.T
        elif "gate_proj" in name:
            rows = [weights, sources[name.replace("gate", "up")]]
            result[name.replace("gate", "gate_up")] = np.stack(rows, axis=1).reshape(-1, weights.shape[1])
        elif "up_proj" not in name:
            result[name] = weights
    return result


def write_graded_thresholds(run: RunDirectory, path: Path, kind: str) -> None:
    """Thresholds of planes as another program might write them: about a third of each grade, and attention whole."""
    with safe_open(run.bundle / "thresholds.safetensors", "numpy") as file:
        source = file.metadata()
    keys = ("format", "version", "layers", "model_sha256", "corpus_sha256", "statistics_sha256")
    shares = {"realised_ffn": "0.3", "realised_full_ffn": "0.3"}
    metadata = {key: source[key] for key in keys} | {"method": "planes", "weights": kind}
    metadata |= {"sparsity": "0.5", "attention": "off"} | shares
    validate(metadata, "thresholds")
    levels = {"threshold": 0.02, "full_threshold": 0.1}
    tensors = {f"layers.{layer}.ffn.{name}": np.full(run.shapes.intermediate, level, np.float32)
               for layer in range(run.shapes.layers) for name, level in levels.items()}
    save_file(tensors, path, metadata=metadata)


def loss_is_stated(run: RunDirectory, model: Path, scratch: Path) -> None:
    """export: a manifest states what q4 and its thresholds lose on the text given, and verify --remeasure finds the same."""
    text = scratch / "held-out.txt"
    text.write_text("The river had frozen over in the night. " * 20)
    bundle = export(run, model, scratch / "loss" / "bundle", "q4", "--text", text)
    manifest = json.loads((bundle.bundle / "manifest.json").read_text())
    validate(manifest, "manifest")
    weights = manifest["weights"]
    require(0 < weights["kl"] < 1, f"KL of q4 is {weights['kl']}")
    require(0 < weights["activation_rounding_kl"] < weights["kl"], f"{weights}")
    require(0 < weights["exact_share"] < 1, f"{weights}")
    require(weights["measured_on"]["text"] != "built-in", f"{weights}")
    quality = manifest["quality"]
    require(quality["text"] == weights["measured_on"]["text"], f"{quality}")
    require(quality["budgets"][0]["kl"] > weights["kl"], f"thresholds lose nothing: {quality}")
    measuring = (bundle.bundle, "--remeasure", "--model", model)
    for check in gambit.ask("verify", *measuring, "--text", text)["checks"]:
        require(check["ok"], f"{check['name']}: {check['detail']}")
    message = gambit.refuse("verify", *measuring)
    require("another" not in message and "text" in message, message)
    shutil.rmtree(bundle.bundle)


def example_reads_bundles(run: RunDirectory, model: Path, scratch: Path) -> None:
    """examples: read_bundle.py reads the weights of bundles of all types, which differ by their rounding alone."""
    thresholds = scratch / "graded-example.safetensors"
    whole = {}
    for kind, error in (("f32", 0), ("f16", 1e-3), ("int8", 0.01), ("q4", 0.1), ("int8-planes", 0.01), ("f16-planes", 1e-3)):
        if kind in PLANES:
            write_graded_thresholds(run, thresholds, kind)
        graded = thresholds if kind in PLANES else None
        bundle = export(run, model, scratch / f"example-{kind}" / "bundle", kind, thresholds=graded)
        count = 0
        for name, weights in read_bundle.weights(bundle.bundle):
            if kind == "f32":
                whole[name] = weights
            off = np.abs(weights - whole[name]).max()
            require(off <= error * np.abs(whole[name]).max(), f"{kind}: {name} is off by {off}")
            count += 1
        require(count == len(whole) > 200, f"{kind}: {count} tensors")
        shutil.rmtree(bundle.bundle)


def export(
    run: RunDirectory, model: Path, output: Path, kind: str, *options: object, thresholds: Path | None = None
) -> RunDirectory:
    output.parent.mkdir()
    thresholds = thresholds or run.bundle / "thresholds.safetensors"
    gambit.run("export", "--model", model, "--thresholds", thresholds, "--weights", kind, "--output", output, *options)
    return RunDirectory(output.parent)


def source_weights(bundle: RunDirectory, run: RunDirectory) -> dict[str, np.ndarray]:
    """Some matrices of the f32 bundle, which is removed: it is large."""
    names = ["model.embed_tokens.weight"]
    names += [f"model.layers.{layer}.{part}" for layer in (0, run.shapes.layers - 1) for part in LAYER_PARTS]
    with decompressed_weights(bundle) as path, safe_open(path, "numpy") as file:
        weights = {name: file.get_tensor(name) for name in names}
    shutil.rmtree(bundle.bundle)
    return weights
