#!/usr/bin/env python3
"""Reads a bundle's weights, by schemas/bundle.md alone: numpy, safetensors, zstandard. (numpy has no bf16.)

    python Documentation/examples/read_bundle.py BUNDLE      prints every matrix, its shape and its root mean square

`weights(folder)` yields (name, float32 array) as Hugging Face checkpoints have them: `[outputs, inputs]`.
"""
import hashlib
import io
import json
import sys
from pathlib import Path

import numpy as np
import zstandard
from safetensors.numpy import load


def opened(folder: Path) -> dict:
    """The manifest, once its own digest and those of all files are right."""
    raw = (folder / "manifest.json").read_bytes()
    manifest = json.loads(raw)
    own = manifest["manifest_sha256"].encode()
    assert raw.count(own) == 1 and hashlib.sha256(raw.replace(own, b"0" * 64)).hexdigest().encode() == own, "manifest"
    for file in manifest["files"]:
        with open(folder / file["name"], "rb") as stream:
            assert hashlib.file_digest(stream, "sha256").hexdigest() == file["sha256"], file["name"]
    return manifest


def halves(data: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(data).view("<f2").astype(np.float32)[:, :, None]


def decoded(stored: np.ndarray, columns: int, kind: str) -> np.ndarray:
    """The rows of `int8`, `q4`, or of one plane of `int8-planes`, `high` or `low`."""
    n, count = -(-columns // 32), len(stored)
    codes = stored[:, : (32 if kind == "int8" else 16) * n]
    scales = halves(stored[:, codes.shape[1] : codes.shape[1] + 2 * n])
    if kind == "int8":
        values = codes.view(np.int8).reshape(count, n, 32).astype(np.float32) * scales
    else:
        codes = codes.reshape(count, n, 16)
        codes = np.concatenate([codes & 15, codes >> 4], axis=2).astype(np.float32)
        shift = {"high": np.float32(-120.5), "low": np.float32(-7.5), "q4": 0}[kind]
        values = ((16 if kind == "high" else 1) * codes + shift) * scales
        if kind == "q4":
            values += halves(stored[:, 18 * n : 20 * n])
    return values.reshape(count, 32 * n)[:, :columns]


def weights(folder: Path):
    kind, config = opened(folder)["weights"]["type"], json.loads((folder / "config.json").read_text())
    hidden, inner, heads = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    head = config.get("head_dim") or hidden // heads
    columns = {"q_proj": heads * head, "k_proj": config["num_key_value_heads"] * head, "deciding_proj": inner}
    columns["v_proj"] = columns["k_proj"]  # of matrices whose rows are inputs; all others have `hidden` columns
    raw = zstandard.ZstdDecompressor().stream_reader(io.BytesIO((folder / "weights.safetensors.zst").read_bytes()),
                                                     read_across_frames=True).read()
    tensors = {name: data for name, data in load(raw).items() if not name.startswith("padding.")}
    for name, data in tensors.items():
        turned, part = name.endswith("_t"), name.split(".")[-2]
        width = columns.get(part, hidden) if turned else hidden
        if data.dtype == np.uint8 and ".low" in name:
            continue  # read with its high plane
        if kind == "f16-planes" and ".high" in name:
            low = tensors[name.replace(".high", ".low")]
            data = (data.astype(np.uint16) << 8 | low).view(np.float16)
        elif ".high" in name:
            data = decoded(data, width, "high") + decoded(tensors[name.replace(".high", ".low")], width, "low")
        elif data.dtype == np.uint8:
            data = decoded(data, width, kind if ".layers." in name else "int8")
        data = np.asarray(data, np.float32)
        name = name.removesuffix("_t").replace(".high", ".weight")
        if part == "gate_up_proj":  # a row of each in turn
            yield name.replace("gate_up", "gate"), data[0::2]
            yield name.replace("gate_up", "up"), data[1::2]
        else:
            yield name, data.T if turned else data


if __name__ == "__main__":
    for name, matrix in weights(Path(sys.argv[1])):
        print(f"{name:60} {'x'.join(map(str, matrix.shape)):>14} {np.sqrt(np.square(matrix).mean()):.6f}")
