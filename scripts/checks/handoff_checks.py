"""handoff: what other runtimes' own readers find in what is written for them."""

from pathlib import Path

import h5py
import numpy as np
import pandas
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


def table_is_what_the_statistics_say(run: RunDirectory, scratch: Path) -> None:
    """handoff csv: pandas reads it; kept shares and lost energies lie between what h5py's histograms allow."""
    path = scratch / "handoff.csv"
    gambit.run("handoff", run.bundle, "--to", "csv", "--statistics", run.statistics, "--output", path)
    table = pandas.read_csv(path)
    require(len(table) == run.shapes.layers * run.shapes.intermediate, f"{len(table)} rows")
    with h5py.File(run.statistics) as file, safe_open(run.bundle / "thresholds.safetensors", "np") as thresholds:
        tokens, edges = file["tokens"][()], file["bin_edges"][()]
        for index in range(run.shapes.layers):
            rows, group = table[table.layer == index], file[f"layers/{index:03}/ffn"]
            threshold = rows.threshold.to_numpy().astype(np.float32)
            require(np.array_equal(threshold, thresholds.get_tensor(f"layers.{index}.ffn.threshold")), f"layer {index}")
            # Bins that lie below a threshold as a whole, and those that it lies in as well.
            below, reached = edges[1:] <= threshold[:, None], edges[:-1] < threshold[:, None]
            for what, column, sums in (("tokens", 1 - rows.kept_share, group["gate_count"][:]),
                                       ("energy", rows.energy_lost, group["gate_energy"][:])):
                # The last edge may have no bin behind it.
                least = (sums * below[:, : sums.shape[1]]).sum(1) / tokens
                most = (sums * reached[:, : sums.shape[1]]).sum(1) / tokens
                inside = (column >= least - 1e-9) & (column <= most + 1e-9)
                require(bool(inside.all()), f"layer {index}: {what} of {int((~inside).sum())} channels")
