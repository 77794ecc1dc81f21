"""Bundles of quantised weights beside numpy: the records are those that numpy makes of the model's weights."""

import json
import shutil
from pathlib import Path

import numpy as np
from safetensors import safe_open

import gambit
from bundle_checks import decompressed_weights
from document_checks import validate
from outcome import require
from quantized_rows import decode, encode
from run_directory import RunDirectory

LAYER_PARTS = ("self_attn.q_proj.weight_t", "self_attn.k_proj.weight", "self_attn.o_proj.weight_t",
               "mlp.gate_proj.weight", "mlp.up_proj.weight", "mlp.down_proj.weight_t")


def quantised_bundles_are_numpys(run: RunDirectory, model: Path, scratch: Path) -> None:
    """export: int8 and q4 bundles verify, and their records are those that numpy makes of the f32 bundle's weights."""
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


def loss_is_stated(run: RunDirectory, model: Path, scratch: Path) -> None:
    """export: a manifest states the loss of q4 on the text given, and follows its schema."""
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
    shutil.rmtree(bundle.bundle)


def export(run: RunDirectory, model: Path, output: Path, kind: str, *options: object) -> RunDirectory:
    output.parent.mkdir()
    gambit.run("export", "--model", model, "--thresholds", run.bundle / "thresholds.safetensors", "--weights", kind,
               "--output", output, *options)
    return RunDirectory(output.parent)


def source_weights(bundle: RunDirectory, run: RunDirectory) -> dict[str, np.ndarray]:
    """Some matrices of the f32 bundle, which is removed: it is large."""
    names = ["model.embed_tokens.weight"]
    names += [f"model.layers.{layer}.{part}" for layer in (0, run.shapes.layers - 1) for part in LAYER_PARTS]
    with decompressed_weights(bundle) as path, safe_open(path, "numpy") as file:
        weights = {name: file.get_tensor(name) for name in names}
    shutil.rmtree(bundle.bundle)
    return weights
