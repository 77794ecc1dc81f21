"""Makes Seeds: small valid files of every kind that is fuzzed, so that mutations start where readers get far.

    python3 Tests/Fuzzing/make_seeds.py   (nothing but the standard library; GAMBIT_PROGRAM names the program)

What a crash or a hang once took stays in a folder as regression-*; only seeds are made anew.
"""

import gzip
import json
import os
import random
import shutil
import struct
import subprocess
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
PROGRAM = os.environ.get("GAMBIT_PROGRAM", REPOSITORY / ".build" / "release" / "gambit")
TOKENIZERS = REPOSITORY / "Tests" / "Fixtures" / "models"
HIDDEN, INTERMEDIATE, HEADS, KEY_HEADS = 8, 8, 2, 1
TEXT = "The sea was calm that night, and the keeper of the light wrote his letters until the oil was gone.\n" * 8

numbers = random.Random(7)


def seed(kind: str, name: str, content: bytes | str) -> None:
    folder = HERE / "Seeds" / kind
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def weights(vocabulary: int) -> dict[str, list[int]]:
    """The tensors of a Llama model of one layer, by Hugging Face's names."""
    layer, head = "model.layers.0.", HIDDEN // HEADS
    return {
        "model.embed_tokens.weight": [vocabulary, HIDDEN],
        layer + "input_layernorm.weight": [HIDDEN],
        layer + "self_attn.q_proj.weight": [HIDDEN, HIDDEN],
        layer + "self_attn.k_proj.weight": [KEY_HEADS * head, HIDDEN],
        layer + "self_attn.v_proj.weight": [KEY_HEADS * head, HIDDEN],
        layer + "self_attn.o_proj.weight": [HIDDEN, HIDDEN],
        layer + "post_attention_layernorm.weight": [HIDDEN],
        layer + "mlp.gate_proj.weight": [INTERMEDIATE, HIDDEN],
        layer + "mlp.up_proj.weight": [INTERMEDIATE, HIDDEN],
        layer + "mlp.down_proj.weight": [HIDDEN, INTERMEDIATE],
        "model.norm.weight": [HIDDEN],
    }


def floats(shape: list[int]) -> bytes:
    count = shape[0] * (shape[1] if len(shape) > 1 else 1)
    return struct.pack(f"<{count}f", *(numbers.gauss(0, 0.5) for _ in range(count)))


def safetensors(tensors: dict[str, list[int]]) -> bytes:
    header, data = {}, b""
    for name, shape in tensors.items():
        values = floats(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def gguf(vocabulary: list[str], merges: list[str]) -> bytes:
    """A model as llama.cpp's converter lays it out. Format: ggml's docs/gguf.md."""

    def string(text: str) -> bytes:
        return struct.pack("<Q", len(text.encode())) + text.encode()

    def strings(values: list[str]) -> bytes:
        return struct.pack("<IQ", 8, len(values)) + b"".join(map(string, values))

    head = HIDDEN // HEADS
    keys = [("general.architecture", 8, string("llama")), ("general.name", 8, string("seed"))]
    for name, value in {
        "context_length": 64, "embedding_length": HIDDEN, "block_count": 1, "feed_forward_length": INTERMEDIATE,
        "attention.head_count": HEADS, "attention.head_count_kv": KEY_HEADS, "rope.dimension_count": head,
        "vocab_size": len(vocabulary),
    }.items():
        keys.append(("llama." + name, 4, struct.pack("<I", value)))
    keys += [
        ("llama.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", 1e-5)),
        ("llama.rope.freq_base", 6, struct.pack("<f", 10000)),
        ("tokenizer.ggml.model", 8, string("gpt2")),
        ("tokenizer.ggml.pre", 8, string("smollm")),
        ("tokenizer.ggml.tokens", 9, strings(vocabulary)),
        ("tokenizer.ggml.token_type", 9, struct.pack(f"<IQ{len(vocabulary)}i", 5, len(vocabulary), *[1] * len(vocabulary))),
        ("tokenizer.ggml.merges", 9, strings(merges)),
        ("tokenizer.ggml.bos_token_id", 4, struct.pack("<I", 0)),
        ("tokenizer.chat_template", 8, string("{% for m in messages %}{{ m.content }}{% endfor %}")),
    ]
    names = {
        "model.embed_tokens": "token_embd", "model.norm": "output_norm", "model.layers.0.input_layernorm": "blk.0.attn_norm",
        "model.layers.0.post_attention_layernorm": "blk.0.ffn_norm", "model.layers.0.self_attn.q_proj": "blk.0.attn_q",
        "model.layers.0.self_attn.k_proj": "blk.0.attn_k", "model.layers.0.self_attn.v_proj": "blk.0.attn_v",
        "model.layers.0.self_attn.o_proj": "blk.0.attn_output", "model.layers.0.mlp.gate_proj": "blk.0.ffn_gate",
        "model.layers.0.mlp.up_proj": "blk.0.ffn_up", "model.layers.0.mlp.down_proj": "blk.0.ffn_down",
    }
    tensors = weights(len(vocabulary))
    header = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(keys))
    header += b"".join(string(name) + struct.pack("<I", kind) + value for name, kind, value in keys)
    data = b""
    for name, shape in tensors.items():
        data += bytes(-len(data) % 32)
        header += string(names[name.removesuffix(".weight")] + ".weight") + struct.pack("<I", len(shape))
        header += struct.pack(f"<{len(shape)}QIQ", *reversed(shape), 0, len(data))
        data += floats(shape)
    return header + bytes(-len(header) % 32) + data


def model(folder: Path) -> None:
    tokenizer = json.loads((TOKENIZERS / "llama" / "tokenizer.json").read_text())
    vocabulary = len(tokenizer["model"]["vocab"])
    folder.mkdir()
    configuration = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": vocabulary, "hidden_size": HIDDEN,
        "intermediate_size": INTERMEDIATE, "num_hidden_layers": 1, "num_attention_heads": HEADS,
        "num_key_value_heads": KEY_HEADS, "hidden_act": "silu", "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0, "tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 0,
    }
    (folder / "config.json").write_text(json.dumps(configuration, indent=2))
    (folder / "model.safetensors").write_bytes(safetensors(weights(vocabulary)))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(TOKENIZERS / "llama" / name, folder / name)


def pipeline(source: Path, text: Path, planes: bool) -> str:
    method = "{method: planes, attention: true, head: true, " if planes else "{method: energy, attention: true, "
    return "\n".join([
        f"model: {{path: {source}}}",
        f"sample: {{sources: [{{files: [{text}]}}], tokens: 64, sequence_length: 8, seed: 1}}",
        f"collect: {{scores: {'int8-planes' if planes else 'null'}}}" if planes else "",
        f"solve: [{method}sparsity: [0.3, 0.5]}}]",
        f"evaluate: {{files: [{text}], sequence_length: 8, tokens: 64}}",
        f"export: {method}sparsity: 0.5, weights: {'int8-planes' if planes else 'int8'}}}", ""])


def run(folder: Path, name: str, planes: bool) -> None:
    """Everything that a run leaves behind."""
    document, output = folder / f"{name}.yaml", folder / name
    document.write_text(pipeline(folder / "model", folder / "text.txt", planes))
    subprocess.run([PROGRAM, "run", document, "--output", output], check=True, stdout=subprocess.DEVNULL)
    bundle = output / "bundle"
    seed("pipeline", name, document.read_text().replace(str(folder), "/models"))
    seed("statistics", name, (output / "statistics.h5").read_bytes())
    seed("sample", name, (output / "sample.h5").read_bytes())
    for kind, file in {
        "manifest": "manifest.json", "thresholds": "thresholds.safetensors", "golden": "golden.safetensors",
        "configuration": "config.json", "seekable": "weights.safetensors.zst",
    }.items():
        seed(kind, name, (bundle / file).read_bytes())
    seed("safetensors", name, (bundle / "thresholds.safetensors").read_bytes())


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "text.txt").write_text(TEXT)
        model(folder / "model")
        run(folder, "int8", planes=False)
        run(folder, "planes", planes=True)
        packed = subprocess.run(["zstd", "-q", "-c", folder / "text.txt"], check=True, capture_output=True).stdout
        seed("safetensors", "model", (folder / "model" / "model.safetensors").read_bytes())

    seed("compressed", "text.zst", packed)
    seed("compressed", "text.gz", gzip.compress(TEXT.encode(), mtime=0))
    seed("gguf", "llama", gguf(["<|endoftext|>", "a", "b", "ab", "Ġ", "t", "Ġt"], ["a b", "Ġ t"]))
    for family in ("llama", "gemma3", "qwen2"):
        seed("configuration", family, (TOKENIZERS / family / "config.json").read_text())
    for family in ("llama", "gemma3"):
        seed("tokenizer", family, (TOKENIZERS / family / "tokenizer.json").read_text())
    for template in sorted((REPOSITORY / "Tests" / "ChatTemplatesTests" / "Fixtures" / "templates").iterdir()):
        if template.stat().st_size < 4096:
            seed("template", template.stem, template.read_bytes())
    seed("comparison", "smollm2", (REPOSITORY / "pipelines" / "compare-smollm2.yaml").read_text())
    seed("questions", "tasks", "".join(
        json.dumps(question) + "\n" for question in [
            {"id": 0, "contexts": ["Question: Which is a fruit?\nAnswer:"], "continuations": [" Pear", " Wool"], "gold": 0},
            {"id": "b", "contexts": ["He sat", "She sat"], "continuations": [" down"], "gold": 1},
        ]))
    dictionaries = REPOSITORY / "Tests" / "InterchangeTests" / "Fixtures"
    for name in ("bfloat16", "views"):
        dictionary = dictionaries / f"chess-{name}.pt"
        seed("dictionary", name, dictionary.read_bytes())
        with zipfile.ZipFile(dictionary) as archive:
            seed("pickle", name, archive.read(next(part for part in archive.namelist() if part.endswith("data.pkl"))))
    seed("ratios", "two-layers", json.dumps({
        "version": 1, "model_id": "m", "n_intermediate": 4, "calibration_n_tokens": 9, "target_active_frac": 0.5,
        "notes": "by hand", "layers": [{"layer_id": layer, "thresholds": [0.1, 0, 1, 1.5]} for layer in range(2)]}))
    seed("signature", "signed", (
        REPOSITORY / "Tests" / "SignaturesTests" / "Fixtures" / "signed" / "model.sig").read_bytes())


if __name__ == "__main__":
    main()
