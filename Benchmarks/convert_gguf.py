#!/usr/bin/env python3
"""The same model as GGUF files of other types, for llama.cpp to run beside Gambit.

    "$(scripts/python-environment peers)" Benchmarks/convert_gguf.py "$(scripts/fetch-model)" OUTDIR

Every matrix is widened and narrowed again by the gguf package; vectors (norms) keep their type, and all metadata
(tokenizer and chat template included) is carried over. A type that the source already has is the source itself. In
4-bit files the embedding table, which is the output head too, has 8 bits, as llama.cpp's own 4-bit files have it wider
than the rest. Skips files that exist; prints a JSON object from each type to its file.
"""

import argparse
import json
import os
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType
from gguf.quants import dequantize, quantize

TYPES = {
    "f32": (GGMLQuantizationType.F32, LlamaFileType.ALL_F32),
    "f16": (GGMLQuantizationType.F16, LlamaFileType.MOSTLY_F16),
    "q8_0": (GGMLQuantizationType.Q8_0, LlamaFileType.MOSTLY_Q8_0),
    "q4_0": (GGMLQuantizationType.Q4_0, LlamaFileType.MOSTLY_Q4_0),
    "q4_1": (GGMLQuantizationType.Q4_1, LlamaFileType.MOSTLY_Q4_1),
}
FOUR_BITS = (GGMLQuantizationType.Q4_0, GGMLQuantizationType.Q4_1)
EMBEDDING, OUTPUT_HEAD = "token_embd.weight", "output.weight"
WRITTEN_BY_THE_WRITER = ("general.architecture", "general.file_type")


def convert(source: Path, directory: Path, types: list[str]) -> dict[str, Path]:
    """A file for each of `types`, written into `directory` where it is missing."""
    reader = GGUFReader(source)
    return {name: source if has_type(reader, TYPES[name][0]) else written(reader, source, directory, name)
            for name in types}


def bytes_per_token(path: Path) -> int:
    """Bytes of the matrices that one token reads in full. A table of embeddings that is not the head too is looked up."""
    matrices = {tensor.name: tensor.n_bytes for tensor in GGUFReader(path).tensors if is_matrix(tensor)}
    if OUTPUT_HEAD in matrices:
        del matrices[EMBEDDING]
    return sum(matrices.values())


def bytes_per_position(path: Path) -> int:
    """Of the keys and values that a token reads for each position before it, in llama.cpp's default type, f16."""
    reader = GGUFReader(path)
    model = reader.get_field("general.architecture").contents()

    def number(key: str, default: int = 0) -> int:
        field = reader.get_field(f"{model}.{key}")
        return default if field is None else field.contents()

    heads = number("attention.head_count")
    head = number("embedding_length") // heads
    width = number("attention.head_count_kv", heads) * (
        number("attention.key_length", head) + number("attention.value_length", head))
    return 2 * number("block_count") * width


def is_matrix(tensor: gguf.ReaderTensor) -> bool:
    return len(tensor.shape) > 1


def has_type(reader: GGUFReader, kind: GGMLQuantizationType) -> bool:
    """Whether the layers' matrices are of this type already."""
    return all(tensor.tensor_type == kind for tensor in reader.tensors
               if is_matrix(tensor) and tensor.name not in (EMBEDDING, OUTPUT_HEAD))


def written(reader: GGUFReader, source: Path, directory: Path, name: str) -> Path:
    target = directory / f"{source.name.removesuffix('.gguf')}-{name}.gguf"
    if not target.exists():
        directory.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        write(reader, partial, name)
        os.replace(partial, target)
    return target


def write(reader: GGUFReader, path: Path, name: str) -> None:
    kind, file_type = TYPES[name]
    writer = GGUFWriter(path, reader.get_field("general.architecture").contents())
    copy_metadata(reader, writer)
    writer.add_file_type(file_type)

    kinds = {tensor.name: narrowed(tensor, kind) if is_matrix(tensor) else tensor.tensor_type
             for tensor in reader.tensors}
    for tensor in reader.tensors:
        shape = tensor.shape[::-1].tolist()  # GGUF lists the fastest dimension first
        block, size = gguf.GGML_QUANT_SIZES[kinds[tensor.name]]
        # float32 stands for "the shape counts elements, not bytes"; raw_dtype is the type in the file.
        writer.add_tensor_info(tensor.name, shape, np.dtype(np.float32), int(tensor.n_elements) // block * size,
                               raw_dtype=kinds[tensor.name])
    # One tensor at a time: the widened model is larger than many a memory.
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for tensor in reader.tensors:
        same = kinds[tensor.name] == tensor.tensor_type
        writer.write_tensor_data(tensor.data if same else
                                 quantize(dequantize(tensor.data, tensor.tensor_type), kinds[tensor.name]))
    writer.close()


def narrowed(tensor: gguf.ReaderTensor, kind: GGMLQuantizationType) -> GGMLQuantizationType:
    return GGMLQuantizationType.Q8_0 if kind in FOUR_BITS and tensor.name in (EMBEDDING, OUTPUT_HEAD) else kind


def copy_metadata(reader: GGUFReader, writer: GGUFWriter) -> None:
    for key, field in reader.fields.items():
        if key in WRITTEN_BY_THE_WRITER or key.startswith("GGUF."):  # GGUF.*: the header's own counts
            continue
        element = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(key, field.contents(), field.types[0], sub_type=element)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="GGUF file")
    parser.add_argument("directory", type=Path, help="where the files go; made if missing")
    parser.add_argument("--types", nargs="+", choices=TYPES, default=list(TYPES))
    arguments = parser.parse_args()
    files = convert(arguments.model, arguments.directory, arguments.types)
    print(json.dumps({name: str(path) for name, path in files.items()}, indent=2))


if __name__ == "__main__":
    main()
