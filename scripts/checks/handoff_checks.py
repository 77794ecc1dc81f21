"""handoff: what other runtimes' own readers find in what is written for them."""

import io
import json
import pickle
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas
from gguf import GGMLQuantizationType, GGUFReader
from gguf.quants import dequantize, quantize
from jsonschema import Draft202012Validator
from safetensors import safe_open
from tokenizers import Tokenizer

import gambit
from evaluation_checks import HELD_OUT, evaluate
from numpy_llama import Llama
from outcome import require
from run_directory import RunDirectory

# What labscommunity/cascadia takes of a PerChannelThresholds file, version 1.
PER_CHANNEL = {
    "type": "object",
    "required": ["version", "model_id", "n_intermediate", "target_active_frac", "layers"],
    "properties": {
        "version": {"const": 1}, "model_id": {"type": "string"}, "n_intermediate": {"type": "integer", "minimum": 1},
        "calibration_n_tokens": {"type": "integer", "minimum": 0},
        "target_active_frac": {"type": "number", "minimum": 0, "maximum": 1}, "notes": {"type": "string"},
        "layers": {"type": "array", "items": {
            "type": "object", "required": ["layer_id", "thresholds"],
            "properties": {
                "layer_id": {"type": "integer", "minimum": 0},
                "thresholds": {"type": "array", "items": {"type": "number", "minimum": 0}}}}}}}


def folder_is_the_bundle(run: RunDirectory, scratch: Path) -> None:
    """handoff transformers: numpy's Llama of the folder has the golden dense logits, within 2e-3."""
    folder = handed_folder(run, scratch)
    with safe_open(run.bundle / "golden.safetensors", "np") as golden:
        tokens, positions, expected = (
            golden.get_tensor(f"texts.0.{name}") for name in ("tokens", "positions", "dense"))
    difference = np.abs(Llama(folder).logits(tokens)[positions] - expected).max()
    require(difference <= 2e-3, f"logits differ by {difference}")
    configuration = json.loads((folder / "config.json").read_text())
    require(configuration["sparse"] is True, "config.json does not say sparse")
    module, _ = configuration["auto_map"]["AutoModelForCausalLM"].split(".")
    compile((folder / f"{module}.py").read_text(), module, "exec")


def dictionary_is_the_bundle(run: RunDirectory, scratch: Path) -> None:
    """handoff chess-pt: Python's pickle finds the thresholds bit for bit, and CATS' drop what was asked for."""
    path = scratch / "handoff.pt"
    gambit.run("handoff", run.bundle, "--to", "chess-pt", "--output", path)
    lists = torch_lists(path)
    with safe_open(run.bundle / "thresholds.safetensors", "np") as thresholds:
        for name, key in (("gate_proj_states_thresholds_chess", "ffn.threshold"),
                          ("attention_inputs_thresholds", "attention.query_threshold"),
                          ("attention_outputs_thresholds", "attention.output_threshold")):
            require(len(lists[name]) == run.shapes.layers, f"{name} has {len(lists[name])} layers")
            for layer, values in enumerate(lists[name]):
                same = np.array_equal(values, thresholds.get_tensor(f"layers.{layer}.{key}"))
                require(same, f"layer {layer} of {name} is another")
    sparsity = json.loads((run.bundle / "manifest.json").read_text())["sparsification"]["sparsity"]
    with h5py.File(run.statistics) as file:
        edges = file["bin_edges"][()]
        for layer, (threshold,) in enumerate(lists["gate_proj_states_thresholds_cats"]):
            counts = file[f"layers/{layer:03}/ffn/gate_count"][:].sum(0)
            # Of the whole calibration text, of which a part was read.
            least = counts[edges[1 : len(counts) + 1] <= threshold].sum() / counts.sum()
            most = counts[edges[: len(counts)] < threshold].sum() / counts.sum()
            require(least - 0.01 <= sparsity <= most + 0.01, f"CATS drops {least} to {most} of layer {layer}")


def dictionary_makes_the_bundles_masks(run: RunDirectory, scratch: Path) -> None:
    """handoff chess-pt: applied as its authors do, in numpy, it decides what the golden vectors record, but for ties."""
    lists = torch_lists(scratch / "handoff.pt")
    names = {"query": "attention_inputs_thresholds", "output": "attention_outputs_thresholds",
             "gate": "gate_proj_states_thresholds_chess"}
    with safe_open(run.bundle / "golden.safetensors", "np") as golden:
        tokens, positions, sparse = (golden.get_tensor(f"texts.0.{name}") for name in ("tokens", "positions", "sparse"))
        kept = {place: np.unpackbits(
            golden.get_tensor(f"texts.0.kept_{name}"), axis=-1, bitorder="little").astype(bool)
            for place, name in (("query", "query"), ("output", "output"), ("gate", "ffn"))}
    unlike = decisions = 0
    farthest = 0.0

    def drop(place: str, layer: int, x: np.ndarray) -> np.ndarray:
        nonlocal unlike, decisions, farthest
        threshold, recorded = lists[names[place]][layer], kept[place][:, layer, : x.shape[1]]
        other = (np.abs(x) < threshold) == recorded
        decisions, unlike = decisions + x.size, unlike + other.sum()
        farthest = max(farthest, (np.abs(np.abs(x) / threshold - 1) * other).max())
        # What is recorded goes on: a tie that falls otherwise must not decide about all that follows.
        return x * recorded

    logits = Llama(handed_folder(run, scratch)).logits(tokens, drop)
    require(unlike <= decisions / 10_000 and farthest <= 1e-3, f"{unlike} of {decisions} are others, by {farthest}")
    difference = np.abs(logits[positions] - sparse).max()
    require(difference <= 2e-3, f"logits differ by {difference}")


def relative_thresholds_keep_as_much(run: RunDirectory, scratch: Path) -> None:
    """handoff per-channel-json: of held-out text they keep the share that the file says, by numpy, within a point."""
    path = scratch / "handoff.json"
    gambit.run("handoff", run.bundle, "--to", "per-channel-json", "--output", path)
    document = json.loads(path.read_text())
    Draft202012Validator(PER_CHANNEL).validate(document)
    require([layer["layer_id"] for layer in document["layers"]] == list(range(run.shapes.layers)), "layers are missing")
    manifest = json.loads((run.bundle / "manifest.json").read_text())
    asked = document["target_active_frac"]
    require(abs(asked - 1 + manifest["sparsification"]["sparsity"]) <= 0.001, f"it asks for {asked}")
    folder = handed_folder(run, scratch)
    texts = [json.loads(line)["text"] for line in HELD_OUT.read_text().splitlines()]
    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode("\n".join(texts)).ids
    shares: list[float] = []

    def count(place: str, layer: int, x: np.ndarray) -> np.ndarray:
        if place == "gate":
            ratios = np.abs(x) / np.abs(x).max(-1, keepdims=True)
            shares.append((ratios >= np.float32(document["layers"][layer]["thresholds"])).mean())
        return x

    llama = Llama(folder)
    for window in range(8):
        start = window * len(ids) // 8
        llama.logits(np.array(ids[start : start + 512]), count)
    require(abs(np.mean(shares) - asked) <= 0.01, f"{np.mean(shares):.4f} are kept, {asked:.4f} asked for")


def others_thresholds_are_taken_over(run: RunDirectory, model: Path, scratch: Path) -> None:
    """import: what was handed off comes back, bit for bit or with nearly the loss; the bundle verifies."""
    text = ("--text", HELD_OUT, "--max-tokens", 1024)
    kl = evaluate("perplexity", "--bundle", run.bundle, "--model", model, *text)["kl"]
    for form, name, most in (("chess-pt", "handoff.pt", 1.001), ("per-channel-json", "handoff.json", 1.3)):
        bundle = scratch / f"imported-{form}"
        gambit.run("import", form, scratch / name, "--model", model, "--output", bundle)
        found = evaluate("perplexity", "--bundle", bundle, "--model", model, *text)["kl"]
        require(found <= most * kl, f"KL {found} of {form}, {kl} of the bundle")
        require(json.loads((bundle / "manifest.json").read_text())["sparsification"]["method"] == "imported", form)
    gambit.run("verify", scratch / "imported-chess-pt")
    with safe_open(run.bundle / "thresholds.safetensors", "np") as first, \
            safe_open(scratch / "imported-chess-pt" / "thresholds.safetensors", "np") as second:
        for key in first.keys():
            require(np.array_equal(first.get_tensor(key), second.get_tensor(key)), f"{key} is another")


def handed_folder(run: RunDirectory, scratch: Path) -> Path:
    folder = scratch / "handoff-transformers"
    if not folder.exists():
        gambit.run("handoff", run.bundle, "--to", "transformers", "--output", folder)
    return folder


def torch_lists(path: Path) -> dict[str, list[np.ndarray]]:
    """What torch.load makes of a file of torch.save, for float32 tensors of one dimension."""
    archive = zipfile.ZipFile(path)
    require(archive.testzip() is None, "the archive is damaged")
    root = archive.namelist()[0].split("/")[0]

    class Reader(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> object:
            known = {"_rebuild_tensor_v2": lambda storage, offset, shape, stride, *_: storage[offset : offset + shape[0]],
                     "FloatStorage": np.dtype("<f4"), "OrderedDict": dict}
            return known[name]

        def persistent_load(self, identifier: tuple) -> np.ndarray:
            _, kind, key, _, count = identifier
            return np.frombuffer(archive.read(f"{root}/data/{key}"), kind, count)

    return Reader(io.BytesIO(archive.read(f"{root}/data.pkl"))).load()


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
