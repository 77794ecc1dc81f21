"""Statistics do not depend on how the work was cut: shards, and a run that was killed, give the same bits."""

import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
from safetensors.numpy import load_file

import gambit
from outcome import require
from parity_checks import CORPORA
from run_directory import REPOSITORY
from statistics_checks import datasets

LARGEST_MEMORY = 1_500_000_000


def sample_of_2048_tokens(model: Path, scratch: Path) -> None:
    """sample: the same seed gives the same tokens, whatever the order of the files."""
    files = [CORPORA / "wikitext2-valid.jsonl", CORPORA / "lambada-a.jsonl"]
    for name, order in [("sample.h5", files), ("again.h5", files[::-1])]:
        gambit.run(
            "sample", "--model", model, "--text", *order, "--tokens", 2048, "--sequence-length", 256, "--seed", 7,
            "--output", scratch / name)
    require_same_arrays(scratch / "sample.h5", scratch / "again.h5")


def collection_fits_memory(model: Path, scratch: Path) -> None:
    """collect: at most 1.5 GB of memory."""
    memory = gambit.peak_memory(
        "collect", "--model", model, "--sample", scratch / "sample.h5", "--output", scratch / "whole.h5")
    require(memory <= LARGEST_MEMORY, f"{memory / 1e9:.2f} GB")


def shards_merge_to_the_same_bits(model: Path, scratch: Path) -> None:
    """collect --shard, merge: three shards in any order give the bits of one run."""
    shards = [scratch / f"shard-{index}.h5" for index in (1, 2, 3)]
    for index, path in enumerate(shards, start=1):
        gambit.run(
            "collect", "--model", model, "--sample", scratch / "sample.h5", "--shard", f"{index}/3", "--output", path)
    for name, order in [("merged.h5", shards), ("reversed.h5", shards[::-1])]:
        gambit.run("merge", *order, "--output", scratch / name)
        require_same_arrays(scratch / "whole.h5", scratch / name)


def layers_need_their_shards_alone(scratch: Path) -> None:
    """collect --layers: two folders, each with its layers' shards alone and SHA256SUMS, give the bytes of one run."""
    model, sample = scratch / "random", scratch / "random.h5"
    subprocess.run(
        [sys.executable, REPOSITORY / "Benchmarks" / "make_random_model.py", model, "--layers", "4", "--hidden", "128",
         "--ffn", "256"], check=True, stdout=subprocess.DEVNULL)
    names = sorted(path.name for path in model.glob("*.safetensors"))
    sums = subprocess.run(["sha256sum", *names], cwd=model, check=True, capture_output=True, text=True).stdout
    gambit.run("sample", "--model", model, "--text", CORPORA / "lambada-a.jsonl", "--tokens", 2048, "--output", sample)
    gambit.run("collect", "--model", model, "--sample", sample, "--output", scratch / "one.h5")
    parts = []
    for layers, extra in [((0, 1), "embeddings"), ((2, 3), None)]:
        node = scratch / f"node-{layers[0]}" / model.name
        kept = {f"layer-{layer:03}.safetensors" for layer in layers} | {f"{extra}.safetensors"}
        shutil.copytree(model, node, ignore=lambda _, files, kept=kept: [name for name in files if name in names and name not in kept])
        (node / "SHA256SUMS").write_text(sums)
        activations = ("--activations-in" if parts else "--activations-out", scratch / "2.activations")
        parts.append(scratch / f"node-{layers[0]}.h5")
        gambit.run(
            "collect", "--model", node, "--sample", sample, "--layers", f"{layers[0]}..{layers[1] + 1}", *activations,
            "--output", parts[-1])
    message = gambit.refuse("merge", parts[0], "--output", scratch / "merged.h5")
    require("layers 2 to 3" in message, message)
    gambit.run("merge", *parts, "--output", scratch / "merged.h5")
    require((scratch / "merged.h5").read_bytes() == (scratch / "one.h5").read_bytes(), "the merged file has other bytes")


def killed_collection_resumes(model: Path, scratch: Path) -> None:
    """collect --resume: after kill -9, the bits of an uninterrupted run."""
    command = ("collect", "--model", model, "--sample", scratch / "sample.h5", "--output", scratch / "resumed.h5")
    for seconds in (2.0, 1.0, 0.5):  # a fast machine may be done before
        if killed := gambit.kill_after(seconds, *command, "--resume"):
            break
        (scratch / "resumed.h5").unlink()
    require(killed, "it was always done before it could be killed")
    gambit.run(*command, "--resume")
    require_same_arrays(scratch / "whole.h5", scratch / "resumed.h5")


def sparsity_is_monotone(model: Path, scratch: Path) -> None:
    """solve: a higher sparsity never lowers a threshold."""
    low, high = (solved_thresholds(model, scratch, sparsity) for sparsity in (0.3, 0.7))
    for name, value in low.items():
        require(bool((value <= high[name]).all()), f"{name} falls")


def solved_thresholds(model: Path, scratch: Path, sparsity: float) -> dict[str, np.ndarray]:
    path = scratch / f"thresholds-{sparsity}.safetensors"
    gambit.run(
        "solve", "--statistics", scratch / "whole.h5", "--model", model, "--method", "chess", "--norm", "rms",
        "--attention", "on", "--sparsity", sparsity, "--output", path)
    return load_file(path)


def require_same_arrays(first: Path, second: Path) -> None:
    with h5py.File(first) as left, h5py.File(second) as right:
        names = [value.name for value in datasets(left)]
        require(names == [value.name for value in datasets(right)], "they hold different arrays")
        for name in names:
            require(left[name][()].tobytes() == right[name][()].tobytes(), f"{name} differs")
