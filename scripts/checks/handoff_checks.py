"""handoff: what other runtimes' own readers find in what is written for them."""

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader
from gguf.quants import dequantize, quantize
from safetensors import safe_open

import gambit
from evaluation_checks import HELD_OUT, evaluate
from outcome import require
from run_directory import RunDirectory


def gguf_is_the_bundle(run: RunDirectory, scratch: Path) -> None:
    """handoff gguf: the gguf package reads thresholds bit for bit, and the loss is the bundle's dense one."""
    path = scratch / "handoff.gguf"
    gambit.run("handoff", run.bundle, "--to", "gguf", "--output", path)
    reader = GGUFReader(path)
    with safe_open(run.bundle / "thresholds.safetensors", "np") as thresholds:
        for name in thresholds.keys():
            field = reader.get_field(f"gambit.{name}")
            require(field is not None, f"there is no gambit.{name}")
            values = np.concatenate([field.parts[index] for index in field.data])
            require(values.tobytes() == thresholds.get_tensor(name).tobytes(), f"gambit.{name} is another")
        for key, value in thresholds.metadata().items():
            require(reader.get_field(f"gambit.thresholds.{key}").contents() == value, f"{key} is another")
    text = ("--text", HELD_OUT, "--max-tokens", 1024)
    handed, dense = evaluate("perplexity", "--model", path, *text), evaluate("perplexity", "--bundle", run.bundle, *text)["dense"]
    require(handed["nll"] == dense["nll"], f"nll {handed['nll']} of the file, {dense['nll']} of the bundle")


def gguf_is_quantised_as_ggml_does(run: RunDirectory, scratch: Path) -> None:
    """handoff gguf: q8_0 is what the gguf package makes of the same weights, bit for bit."""
    whole, rounded = scratch / "handoff.gguf", scratch / "handoff-q8_0.gguf"
    gambit.run("handoff", run.bundle, "--to", "gguf", "--weights", "q8_0", "--output", rounded)
    tensors = {tensor.name: tensor for tensor in GGUFReader(whole).tensors}
    count = 0
    for tensor in GGUFReader(rounded).tensors:
        if tensor.tensor_type != GGMLQuantizationType.Q8_0:
            continue
        original = tensors[tensor.name]
        expected = quantize(dequantize(original.data, original.tensor_type), GGMLQuantizationType.Q8_0)
        require(np.array_equal(tensor.data, expected), f"{tensor.name} is another")
        count += 1
    require(count == 7 * run.shapes.layers + 1, f"{count} tensors are q8_0")
