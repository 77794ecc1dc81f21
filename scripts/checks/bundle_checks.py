"""zstd, safetensors, tokenizers and jinja2 read the thresholds and the bundle."""

import hashlib
import json
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import zstandard
from safetensors import safe_open
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from outcome import require
from run_directory import REPOSITORY, RunDirectory

CHAT_TEMPLATES = REPOSITORY / "Tests" / "ChatTemplatesTests" / "Fixtures"
sys.path.append(str(CHAT_TEMPLATES))
import make_fixtures  # jinja2 as transformers sets it up

ALIGNMENT = 64
SEEKABLE_MAGIC, SEEK_TABLE_MAGIC, SEEK_TABLE_FOOTER = 0x8F92EAB1, 0x184D2A5E, 9
TOKENIZER_ORACLE = REPOSITORY / "Tests" / "Fixtures" / "smollm2" / "tokenize.json"


def thresholds_fit_the_model(run: RunDirectory) -> None:
    """thresholds: every layer has float32 thresholds of the documented shape, none negative or NaN."""
    for path in threshold_files(run):
        tensors = load_file(path)
        for layer in range(run.shapes.layers):
            ffn = tensors[f"layers.{layer}.ffn.threshold"]
            require(ffn.shape == (run.shapes.intermediate,), f"{path.name} layer {layer} has shape {ffn.shape}")
        for name, value in tensors.items():
            if name.endswith(".source"):
                require(value.dtype == np.uint8 and bool((value <= 1).all()), f"{path.name} {name} is not zeros and ones")
                continue
            require(value.dtype == np.float32, f"{path.name} {name} is {value.dtype}")
            if name.endswith(".bias"):
                require(bool(np.isfinite(value).all()), f"{path.name} {name} is not finite")
                continue
            # +∞ is allowed: it drops a channel for good. NaN compares false.
            require(bool((value >= 0).all()), f"{path.name} {name} has a threshold that is negative or NaN")


def thresholds_name_method_and_budget(run: RunDirectory) -> None:
    """thresholds: metadata name the method and the sparsity."""
    for path in threshold_files(run):
        with safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
        require(metadata.get("method") in ("cats", "chess", "energy"), f"{path.name} says {metadata}")
        require(0 <= float(metadata.get("sparsity", "nan")) <= 1, f"{path.name} says {metadata}")


def manifest_lists_every_file(run: RunDirectory) -> None:
    """bundle: the manifest's sizes and SHA-256 are those of all other files, and of no more."""
    manifest = json.loads((run.bundle / "manifest.json").read_text())
    listed = {entry["name"]: entry for entry in manifest["files"]}
    present = {path.name for path in run.bundle.iterdir()} - {"manifest.json"}
    require(set(listed) == present, f"listed {sorted(listed)}, present {sorted(present)}")
    for name, entry in listed.items():
        data = (run.bundle / name).read_bytes()
        require(entry["size"] == len(data), f"{name} has {len(data)} bytes, not {entry['size']}")
        require(entry["sha256"] == hashlib.sha256(data).hexdigest(), f"{name} has another SHA-256")


def golden_vectors_open(run: RunDirectory) -> None:
    """bundle: golden.safetensors opens and its numbers are finite."""
    tensors = load_file(run.bundle / "golden.safetensors")
    require(bool(tensors), "it is empty")
    for name, value in tensors.items():
        require(bool(np.isfinite(value.astype(np.float64)).all()), f"{name} is not finite")


def weights_decompress_to_safetensors(run: RunDirectory) -> None:
    """bundle: `zstd -d` gives a file that safetensors opens, every tensor 64-byte aligned."""
    with decompressed_weights(run) as path:
        with safe_open(path, "numpy") as file:
            require(len(list(file.keys())) > run.shapes.layers, "it has fewer tensors than layers")
        with path.open("rb") as file:
            (size,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(size))
    for name, entry in header.items():
        if name != "__metadata__":
            offset = 8 + size + entry["data_offsets"][0]
            require(offset % ALIGNMENT == 0, f"{name} starts at byte {offset}")


def skipped_runs_are_contiguous(run: RunDirectory) -> None:
    """bundle: down and up have one row a channel, so that a dropped channel skips one run of bytes."""
    expected = (run.shapes.intermediate, run.shapes.hidden)
    with decompressed_weights(run) as path, safe_open(path, "numpy") as file:
        for part in ("down", "up"):
            names = [name for name in file.keys() if part in name.replace("_", ".").split(".")]
            require(len(names) >= run.shapes.layers, f"{part} has {len(names)} tensors")
            for name in names:
                shape = tuple(file.get_slice(name).get_shape())
                require(shape == expected, f"{name} is {shape}, not {expected}")


def deciding_rows_lie_by_input(run: RunDirectory, bundle: Path) -> None:
    """bundle: where inputs are cut, gate and up projections have exchanged rows, and those that decide lie by input."""
    source = load_file(bundle / "thresholds.safetensors")
    cut = RunDirectory(bundle.parent, bundle)
    with decompressed_weights(run) as path, decompressed_weights(cut) as other:
        with safe_open(path, "numpy") as plain, safe_open(other, "numpy") as exchanged:
            for layer in (0, run.shapes.layers - 1):
                prefix = f"model.layers.{layer}.mlp."
                gate, up = (plain.get_tensor(f"{prefix}{name}_proj.weight") for name in ("gate", "up"))
                up_decides = source[f"layers.{layer}.ffn.source"][:, None] == 1
                require(0 < up_decides.mean() < 1, "one factor decides in all channels")
                deciding, rest = np.where(up_decides, up, gate), np.where(up_decides, gate, up)
                require(np.array_equal(exchanged.get_tensor(prefix + "deciding_proj.weight_t"), deciding.T), "deciding")
                require(np.array_equal(exchanged.get_tensor(prefix + "other_proj.weight"), rest), "other rows")


def frames_are_seekable(run: RunDirectory) -> None:
    """bundle: the seek table accounts for every byte, and a frame decompresses alone."""
    data = run.weights.read_bytes()
    frames, descriptor, magic = struct.unpack("<IBI", data[-SEEK_TABLE_FOOTER:])
    require(magic == SEEKABLE_MAGIC, f"the file ends with {magic:#x}")
    entry = 12 if descriptor & 0x80 else 8
    start = len(data) - SEEK_TABLE_FOOTER - entry * frames
    require(start >= 8, "the seek table is longer than the file")
    require(struct.unpack("<I", data[start - 8 : start - 4]) == (SEEK_TABLE_MAGIC,), "the seek table has no header")
    sizes = [struct.unpack("<II", data[start + entry * i : start + entry * i + 8]) for i in range(frames)]
    require(sum(compressed for compressed, _ in sizes) == start - 8, "frames do not fill the file")
    require(frames > run.shapes.layers, f"{frames} frames are too few to read one tensor alone")
    position = sum(compressed for compressed, _ in sizes[: frames // 2])
    compressed, plain = sizes[frames // 2]
    one = zstandard.ZstdDecompressor().decompressobj().decompress(data[position : position + compressed])
    require(len(one) == plain, f"frame {frames // 2} gives {len(one)} bytes, not {plain}")


def tokenizer_agrees(run: RunDirectory) -> None:
    """bundle: Hugging Face's tokenizers reads tokenizer.json and gives the expected ids."""
    tokenizer = Tokenizer.from_file(str(run.bundle / "tokenizer.json"))
    for case in json.loads(TOKENIZER_ORACLE.read_text())["texts"]:
        ids = tokenizer.encode(case["text"], add_special_tokens=False).ids
        require(ids == case["ids"], f"{case['text']!r} gives {ids}, not {case['ids']}")


def chat_template_agrees(run: RunDirectory) -> None:
    """bundle: jinja2 makes of the chat template the prompts that Gambit's tests expect of its own renderer."""
    template = json.loads((run.bundle / "tokenizer_config.json").read_text())["chat_template"]
    cases = json.loads((CHAT_TEMPLATES / "expected.json").read_text())["templates"]
    cases = [case for case in cases if case["template"] == "smollm2.jinja"]
    require(bool(cases), "no prompts were recorded")
    for case in cases:
        prompt = make_fixtures.rendered(template, make_fixtures.CONTEXTS[case["context"]])
        require(prompt == case["text"], f"'{case['context']}' gives {prompt!r}, not {case['text']!r}")


def budgets_share_their_weights(run: RunDirectory, bundle: Path) -> None:
    """bundle: of several budgets each has its files, all have the default's sources, and more is dropped at the larger."""
    budgets = RunDirectory(bundle.parent, bundle)
    manifest_lists_every_file(budgets)
    stated = json.loads((bundle / "manifest.json").read_text())["sparsification"]
    default, others = load_file(bundle / "thresholds.safetensors"), {}
    for budget in stated["budgets"]:
        sparsity = budget["sparsity"]
        others[sparsity] = load_file(bundle / f"thresholds-{sparsity}.safetensors")
        golden = load_file(bundle / f"golden-{sparsity}.safetensors")
        require(bool(np.isfinite(golden["texts.0.sparse"]).all()), f"golden vectors at {sparsity} are not finite")
        require(set(others[sparsity]) == set(default), f"thresholds at {sparsity} have other parts")
    ladder = [tensors for _, tensors in sorted({**others, stated["sparsity"]: default}.items())]
    require(len(ladder) == 1 + len(stated["budgets"]), "two budgets are for one sparsity")
    for layer in range(budgets.shapes.layers):
        ffn, source = f"layers.{layer}.ffn.threshold", f"layers.{layer}.ffn.source"
        for less, more in zip(ladder, ladder[1:]):
            require(np.array_equal(less[source], more[source]), f"layer {layer} has other sources")
            require(bool((less[ffn] <= more[ffn]).all()), f"layer {layer} has thresholds that fall as more is dropped")


def threshold_files(run: RunDirectory) -> list[Path]:
    require(bool(run.thresholds), "there is no thresholds*.safetensors")
    return [*run.thresholds, *sorted(run.bundle.glob("thresholds*.safetensors"))]


@contextmanager
def decompressed_weights(run: RunDirectory) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gambit-check-") as directory:
        path = Path(directory) / "weights.safetensors"
        subprocess.run(["zstd", "-d", "-q", str(run.weights), "-o", str(path)], check=True)
        yield path


CHECKS = (
    thresholds_fit_the_model, thresholds_name_method_and_budget, manifest_lists_every_file, golden_vectors_open,
    weights_decompress_to_safetensors, skipped_runs_are_contiguous, frames_are_seekable, tokenizer_agrees,
    chat_template_agrees,
)
