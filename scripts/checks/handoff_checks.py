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
from safetensors.numpy import load_file
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
    # Of half of the sequences that were read, evenly spaced, the exact share.
    with h5py.File(run.sample) as file:
        sequences = file["tokens"][:]
    count = min(max(8192 // sequences.shape[1], 1), len(sequences))
    thresholds = np.array(lists["gate_proj_states_thresholds_cats"])
    dropped = np.zeros(run.shapes.layers)
    chosen = [sequences[index * len(sequences) // count] for index in range(0, count, 2)]

    def watch(place: str, layer: int, x: np.ndarray) -> np.ndarray:
        if place == "gate":
            dropped[layer] += (np.abs(x) < thresholds[layer]).mean() / len(chosen)
        return x

    llama = Llama(handed_folder(run, scratch))
    for tokens in chosen:
        llama.logits(tokens, watch)
    sparsity = json.loads((run.bundle / "manifest.json").read_text())["sparsification"]["sparsity"]
    require(np.abs(dropped - sparsity).max() <= 0.01, f"CATS drops {dropped.min():.4f} to {dropped.max():.4f} of a layer")


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
        away = np.abs(np.abs(x) - threshold) / np.maximum(threshold, np.finfo(np.float32).tiny)
        farthest = max(farthest, np.where(other, away, 0).max())
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
    shares: list[float] = []

    def count(place: str, layer: int, x: np.ndarray) -> np.ndarray:
        if place == "gate":
            ratios = np.abs(x) / np.abs(x).max(-1, keepdims=True)
            shares.append((ratios >= np.float32(document["layers"][layer]["thresholds"])).mean())
        return x

    llama = Llama(handed_folder(run, scratch))
    for tokens in held_out_windows(run, scratch, 6):
        llama.logits(tokens, count)
    require(abs(np.mean(shares) - asked) <= 0.01, f"{np.mean(shares):.4f} are kept, {asked:.4f} asked for")


def others_thresholds_are_taken_over(run: RunDirectory, model: Path, scratch: Path) -> None:
    """import chess-pt: what was handed off comes back bit for bit and verifies; --rule and --no-attention are followed."""
    bundle, file = scratch / "imported-chess-pt", scratch / "handoff.pt"
    gambit.run("import", "chess-pt", file, "--model", model, "--output", bundle)
    gambit.run("verify", bundle)
    first, second = (load_file(folder / "thresholds.safetensors") for folder in (run.bundle, bundle))
    require(first.keys() == second.keys(), f"there are {sorted(first.keys() ^ second.keys())[:3]}")
    for key, values in first.items():
        require(np.array_equal(values, second[key]), f"{key} is another")
    gambit.run("import", "chess-pt", file, "--rule", "cats", "--no-attention", "--model", model, "--output", bundle)
    cats, lists = load_file(bundle / "thresholds.safetensors"), torch_lists(file)
    require(len(cats) == run.shapes.layers, f"there are {len(cats)} tensors of one rule without attention")
    for layer, (threshold,) in enumerate(lists["gate_proj_states_thresholds_cats"]):
        require(bool((cats[f"layers.{layer}.ffn.threshold"] == threshold).all()), f"layer {layer} has others than CATS'")
    require("csv cannot carry" in gambit.refuse("handoff", bundle, "--to", "csv", "--output", scratch / "no.csv"), "csv")


def relative_thresholds_are_taken_over(run: RunDirectory, model: Path, scratch: Path) -> None:
    """import per-channel-json: of held-out text the magnitudes keep what the bundle's first ones do, within a point."""
    bundle = scratch / "imported-per-channel-json"
    gambit.run("import", "per-channel-json", scratch / "handoff.json", "--model", model, "--text", HELD_OUT,
               "--output", bundle)
    stated = json.loads((bundle / "manifest.json").read_text())["sparsification"]
    require(stated["method"] == "imported", f"its method is {stated['method']}")
    kept = [[], []]
    pairs = [load_file(folder / "thresholds.safetensors") for folder in (run.bundle, bundle)]

    def watch(place: str, layer: int, x: np.ndarray) -> np.ndarray:
        if place == "gate":
            for shares, thresholds in zip(kept, pairs):
                shares.append((np.abs(x) >= thresholds[f"layers.{layer}.ffn.threshold"]).mean())
        return x

    llama = Llama(handed_folder(run, scratch))
    for tokens in held_out_windows(run, scratch, 3):
        llama.logits(tokens, watch)
    first, second = (np.mean(shares) for shares in kept)
    require(abs(first - second) <= 0.01, f"{second:.4f} are kept, by the bundle's own thresholds {first:.4f}")
    require(abs(1 - second - stated["sparsity"]) <= 0.03, f"{1 - second:.4f} are dropped, {stated['sparsity']} stated")


def held_out_windows(run: RunDirectory, scratch: Path, count: int) -> list[np.ndarray]:
    """So many windows of 512 tokens, evenly spaced."""
    texts = [json.loads(line)["text"] for line in HELD_OUT.read_text().splitlines()]
    ids = Tokenizer.from_file(str(handed_folder(run, scratch) / "tokenizer.json")).encode("\n".join(texts)).ids
    starts = [window * len(ids) // count for window in range(count)]
    return [np.array(ids[start : start + 512]) for start in starts]


def what_is_somebodys_is_kept(run: RunDirectory, scratch: Path) -> None:
    """handoff: a folder that holds something else, or a place that cannot be written to, is refused before any work."""
    for form, name in (("onnx", "model.onnx"), ("transformers", "modeling_gambit.py")):
        folder = scratch / f"somebodys-{form}"
        folder.mkdir()
        for file in (name, "thesis.txt"):
            (folder / file).write_text("years of work")
        require("is there already" in gambit.refuse("handoff", run.bundle, "--to", form, "--output", folder), form)
        require((folder / "thesis.txt").read_text() == "years of work", f"{form} has replaced {folder}")
    for form in ("gguf", "chess-pt", "per-channel-json", "csv"):
        require("is a directory" in gambit.refuse("handoff", run.bundle, "--to", form, "--output", folder), form)
        nowhere = scratch / "nowhere" / "file"
        require("no directory" in gambit.refuse("handoff", run.bundle, "--to", form, "--output", nowhere), form)


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
