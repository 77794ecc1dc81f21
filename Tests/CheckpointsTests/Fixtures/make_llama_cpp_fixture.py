"""Makes llama-cpp.gguf: weights quantised by llama.cpp's own code, and what its own code makes of them.

    "$(scripts/python-environment peers)" Tests/CheckpointsTests/Fixtures/make_llama_cpp_fixture.py

Made with xllamacpp 2026.10.11549, gguf 0.19.0 and numpy 2.4.6. For each type that `llama_model_quantize` puts into its
K-quant files there is a tensor `TYPE`, 2 rows of normally distributed weights through `ggml_quantize_chunk`, and
`TYPE.values`, the same through the type's own `to_float`, as F32.
"""

import ctypes
from ctypes import POINTER, c_char_p, c_float, c_int, c_int64, c_size_t, c_void_p
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Q
from gguf import GGUFWriter
from gguf.constants import GGML_QUANT_SIZES
from xllamacpp import xllamacpp as extension

HERE = Path(__file__).parent
TYPES = (Q.Q4_0, Q.Q5_0, Q.Q5_1, Q.Q8_0, Q.Q2_K, Q.Q3_K, Q.Q4_K, Q.Q5_K, Q.Q6_K, Q.IQ4_NL)
ROWS, COLUMNS = 2, 512


class TypeTraits(ctypes.Structure):
    """The beginning of ggml's `ggml_type_traits`."""

    _fields_ = [("type_name", c_char_p), ("blck_size", c_int64), ("blck_size_interleave", c_int64),
                ("type_size", c_size_t), ("is_quantized", ctypes.c_bool),
                ("to_float", ctypes.CFUNCTYPE(None, c_void_p, POINTER(c_float), c_int64))]  # fmt: skip


ggml = ctypes.CDLL(extension.__file__)
ggml.ggml_quantize_chunk.restype = c_size_t
ggml.ggml_quantize_chunk.argtypes = [c_int, c_void_p, c_void_p, c_int64, c_int64, c_int64, c_void_p]
ggml.ggml_get_type_traits.restype = POINTER(TypeTraits)
ggml.ggml_get_type_traits.argtypes = [c_int]


def quantized(encoding, weights):
    block, size = GGML_QUANT_SIZES[encoding]
    stored = np.zeros((ROWS, COLUMNS // block * size), np.uint8)
    written = ggml.ggml_quantize_chunk(encoding, weights.ctypes.data, stored.ctypes.data, 0, ROWS, COLUMNS, None)
    assert written == stored.nbytes, encoding
    return stored


def values(encoding, stored):
    traits = ggml.ggml_get_type_traits(encoding).contents
    block, size = GGML_QUANT_SIZES[encoding]
    assert (traits.type_name.decode().upper(), traits.blck_size, traits.type_size) == (encoding.name, block, size)
    result = np.empty((ROWS, COLUMNS), np.float32)
    traits.to_float(stored.ctypes.data, result.ctypes.data_as(POINTER(c_float)), result.size)
    return result


def main():
    random = np.random.default_rng(20261124)
    writer = GGUFWriter(HERE / "llama-cpp.gguf", "none")
    for encoding in TYPES:
        stored = quantized(encoding, random.standard_normal((ROWS, COLUMNS), dtype=np.float32) * np.float32(0.05))
        writer.add_tensor(encoding.name, stored, raw_dtype=encoding)
        writer.add_tensor(f"{encoding.name}.values", values(encoding, stored))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
