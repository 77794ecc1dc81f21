"""Bundles of tiny models of each family, with random thresholds of every kind."""

import json
import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

import gambit
from run_directory import REPOSITORY, Shapes

TINY = REPOSITORY / "Tests" / "Fixtures" / "models"
FAMILIES = ("llama", "llama3", "mistral", "qwen2", "qwen3", "gemma3")


def export(family: str, folder: Path, weights: str, one_a_channel: bool) -> Path:
    """Makes a bundle in a folder that is not there yet."""
    folder.mkdir()
    model, thresholds = tiny_model(family, folder), folder / "thresholds.safetensors"
    write_thresholds(thresholds, model, one_a_channel)
    gambit.run("export", "--model", model, "--thresholds", thresholds, "--weights", weights, "--output", folder / "bundle")
    return folder / "bundle"


def tiny_model(family: str, folder: Path) -> Path:
    if family != "mistral":
        return TINY / family
    model = shutil.copytree(TINY / "llama", folder / "mistral")
    configuration = json.loads((model / "config.json").read_text())
    configuration |= {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "sliding_window": 7}
    (model / "config.json").write_text(json.dumps(configuration))
    return model


def write_thresholds(path: Path, model: Path, one_a_channel: bool) -> None:
    """Random ones of every kind that a bundle may hold, one a channel or one for all where there is a choice."""
    facts = gambit.ask("inspect", model)["facts"]
    shapes = Shapes.of(json.loads((model / "config.json").read_text()))
    random = np.random.default_rng(1)

    def between(low: float, high: float, channels: int) -> np.ndarray:
        return random.uniform(low, high, channels).astype(np.float32)

    tensors = {}
    for layer in range(shapes.layers):
        tensors |= {f"layers.{layer}.{name}": values for name, values in {
            "ffn.threshold": between(0, 0.4, shapes.intermediate),
            "ffn.source": random.integers(0, 2, shapes.intermediate, np.uint8),
            "ffn.product_threshold": between(0.01, 0.2, shapes.intermediate if one_a_channel else 1),
            "ffn.bias": between(-0.1, 0.1, shapes.hidden),
            "attention.query_threshold": between(0.3, 0.9, shapes.hidden if one_a_channel else 1),
            "attention.output_threshold": between(0.1, 0.4, shapes.query if one_a_channel else 1),
            "ffn.input_threshold": between(0.3, 0.5, shapes.hidden if one_a_channel else 1),
        }.items()}
    save_file(tensors, path, {
        "format": "gambit-thresholds", "version": "1", "method": "chess", "norm": "rms", "sparsity": "0.5",
        "attention": "on", "layers": str(shapes.layers), "model_sha256": facts["sha256"], "corpus_sha256": "c" * 64,
        "statistics_sha256": "d" * 64, "realised_ffn": "0.5", "realised_query": "0.5", "realised_output": "0.5"})
