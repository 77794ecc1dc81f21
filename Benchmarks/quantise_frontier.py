#!/usr/bin/env python3
"""llama.cpp's own quantisations of a model, and a comparison of them with sparse bundles.

    "$(scripts/python-environment frontier)" Benchmarks/quantise_frontier.py "$(scripts/fetch-model)"
    gambit compare artifacts/frontier/compare.yaml --output artifacts/frontier/result

Widens the model to float32 and hands it to `llama_model_quantize`, without an importance matrix. Files that exist are
kept; compare.yaml is written anew. Needs `gambit run pipelines/smollm2-planes.yaml --output artifacts/smollm2-planes` for
statistics.

llama.cpp has no K-quant for rows that are no multiple of 256 weights, as SmolLM2-135M's 576 are: it stores them in wider
types, so that its `Q2_K` of this model has 5 bits a weight. Beside its files there is therefore, for each K-quant, one
called `joined`: the matrices that fell back are quantised by the same code to the type that was meant, with their rows
joined to runs of 256. No runtime reads such files. They are widened to float32 again, and compare.yaml states the bytes
that they would have.
"""

import argparse
import ctypes
import os
import sys
from collections import Counter
from ctypes import c_int, c_int64, c_size_t, c_void_p
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Q
from gguf import GGUFReader, GGUFWriter
from gguf.quants import dequantize

from convert_gguf import EMBEDDING, OUTPUT_HEAD, convert, copy_metadata, is_matrix

# Benchmarks/llama_cpp.py has the name of the package, and this script's folder comes first.
sys.path = [path for path in sys.path if Path(path or ".").resolve() != Path(__file__).resolve().parent]
import llama_cpp  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = REPOSITORY / "artifacts/frontier"
TYPES = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")
JOINED = ("Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")

# What llama.cpp falls back from, where rows are no multiple of 256. Q4_0 stands in for two types.
MEANT = {Q.Q8_0: Q.Q6_K, Q.Q5_1: Q.Q5_K, Q.Q5_0: Q.Q4_K}
SUPER_BLOCK = 256

COMPARISON = """\
# Written by Benchmarks/quantise_frontier.py.
model: {{path: {model}}}
statistics: ../smollm2-planes/statistics.h5
sample: ../smollm2-planes/sample.h5
evaluate: {{files: [../../pipelines/corpora/wikitext2-test.jsonl], sequence_length: 512, tokens: {tokens}}}
baseline: models
rows:
  - {{weights: f16}}
  - {{weights: int8}}
  - {{weights: q4}}
  - {{method: planes, attention: true, allocation: global, head: true, sparsity: [0.2, 0.3, 0.4, 0.5, 0.52, 0.55]}}
  - {{method: energy, weights: int8, sparsity: [0.3, 0.5, 0.7]}}
  - {{method: energy, weights: q4, sparsity: [0.3, 0.5, 0.7]}}
  - {{method: energy, input_cut: 0, weights: q4, sparsity: [0.3, 0.5, 0.7]}}
  - {{method: energy, attention: true, allocation: global, weights: q4, sparsity: [0.3, 0.5, 0.7]}}
{rows}
"""


def quantised(wide: Path, name: str) -> Path:
    """llama.cpp's file of one type, made where it is missing."""
    target = FOLDER / f"{name}.gguf"
    if not target.exists():
        parameters = llama_cpp.llama_model_quantize_default_params()
        parameters.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{name}")
        partial = target.with_suffix(".partial")
        if llama_cpp.llama_model_quantize(bytes(wide), bytes(partial), ctypes.byref(parameters)) != 0:
            raise SystemExit(f"llama.cpp cannot quantise {wide} to {name}")
        os.replace(partial, target)
    return target


def meant(tensor: gguf.ReaderTensor, name: str) -> Q:
    """The type that llama.cpp would have given to a matrix of wider rows, as it gives them to a model 768 wide."""
    if tensor.shape[0] % SUPER_BLOCK == 0:
        return tensor.tensor_type
    if tensor.tensor_type != Q.Q4_0:
        return MEANT.get(tensor.tensor_type, tensor.tensor_type)
    widened = name.startswith("Q3_K") or any(part in tensor.name for part in ("attn_v", "attn_output"))
    return Q.Q3_K if widened else Q.Q2_K


def through(weights: np.ndarray, kind: Q) -> tuple[np.ndarray, int]:
    """The weights after llama.cpp has rounded them in runs of 256, and the bytes of what it wrote."""
    flat = np.ascontiguousarray(weights, np.float32).reshape(-1, SUPER_BLOCK)
    block, size = gguf.GGML_QUANT_SIZES[kind]
    stored = np.zeros((len(flat), SUPER_BLOCK // block * size), np.uint8)
    ggml = ctypes.CDLL(str(Path(llama_cpp.__file__).parent / "lib" / "libggml-base.so"))
    ggml.ggml_quantize_chunk.restype = c_size_t
    ggml.ggml_quantize_chunk.argtypes = [c_int, c_void_p, c_void_p, c_int64, c_int64, c_int64, c_void_p]
    written = ggml.ggml_quantize_chunk(kind, flat.ctypes.data, stored.ctypes.data, 0, *flat.shape, None)
    assert written == stored.nbytes, kind
    return dequantize(stored, kind).reshape(weights.shape), stored.nbytes


def joined(wide: Path, file: Path, name: str) -> tuple[Path, int]:
    """The model with every matrix in the type that was meant, as float32, and the bytes that a token would read."""
    target = FOLDER / f"{name}-joined.gguf"
    partial = target.with_suffix(".partial")
    source, theirs = GGUFReader(wide), {tensor.name: tensor for tensor in GGUFReader(file).tensors}
    writer = GGUFWriter(partial, source.get_field("general.architecture").contents())
    copy_metadata(source, writer)
    read = 0
    for tensor in source.tensors:
        values = tensor.data.reshape(tensor.shape[::-1])
        size = tensor.n_bytes
        if is_matrix(tensor):
            values, size = through(values, meant(theirs[tensor.name], name))
        writer.add_tensor(tensor.name, values)
        read += bytes_read(tensor, size, tied=OUTPUT_HEAD not in theirs)
    if not target.exists():
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        os.replace(partial, target)
    return target, read


def bytes_read(tensor: gguf.ReaderTensor, size: int, tied: bool) -> int:
    """Of a tensor of `size` bytes by one token: a row of the embedding, and all of it where it is the head, too."""
    if tensor.name != EMBEDDING:
        return size
    return size // int(tensor.shape[1]) + (size if tied else 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="GGUF file")
    parser.add_argument("--tokens", type=int, default=12288, help="of held-out text to measure on")
    arguments = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    silence = llama_cpp.llama_log_callback(lambda level, text, data: None)
    llama_cpp.llama_log_set(silence, None)
    wide = convert(arguments.model, FOLDER, ["f32"])["f32"]

    rows = []
    for name in TYPES:
        file = quantised(wide, name)
        kinds = Counter(tensor.tensor_type.name for tensor in GGUFReader(file).tensors if is_matrix(tensor))
        print(f"{file.name}: {file.stat().st_size:,} bytes; matrices {dict(kinds)}")
        rows.append(f"  - {{model: {file.name}, name: {name}}}")
        if name in JOINED:
            file, read = joined(wide, file, name)
            print(f"{file.name}: a token would read {read:,} bytes")
            rows.append(f"  - {{model: {file.name}, name: {name} joined, bytes_per_token: {read}}}")
    text = COMPARISON.format(model=arguments.model.resolve(), tokens=arguments.tokens, rows="\n".join(rows))
    (FOLDER / "compare.yaml").write_text(text)


if __name__ == "__main__":
    main()
