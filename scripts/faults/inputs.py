"""Models and texts that are bad, each with the outcome that Documentation/reliability.md states."""

import json
import random
import shutil
import struct
from pathlib import Path

from bench import MODEL, PIPELINE, Bench, Row, gambit, is_refusal

NAN, INFINITY, HUGE, ZERO = 0x7FC0, 0x7F80, 0x7E80, 0  # bfloat16
GATE, UP = "model.layers.1.mlp.gate_proj.weight", "model.layers.1.mlp.up_proj.weight"


def bad_inputs(bench: Bench, row: Row) -> None:
    folder = bench.scratch / "inputs"
    folder.mkdir()
    for name, text in {"empty": "", "short": "Too short.", "repeated": "a" * 20000}.items():
        (folder / f"{name}.txt").write_text(text)
    good, text = MODEL, bench.text
    not_numbers = "infinite or not a number"
    damaged = {
        "a weight that is no number": [(GATE, 645, NAN)], "an infinite weight": [(UP, 11, INFINITY)],
        "weights whose products are infinite": [(name, i, HUGE) for name in (GATE, UP) for i in range(64 * 160)],
    }
    for name, pokes in damaged.items():
        refused(bench, row, name, model(folder, pokes), text, says=not_numbers)
    refused(bench, row, "a norm that is no number", model(folder, [("model.norm.weight", 3, NAN)]), text, says="infinite or")
    # Of a token that the calibration text does not have and the evaluation does.
    token = json.loads((MODEL / "tokenizer.json").read_text())["model"]["vocab"]["q"]
    source = model(folder, [("model.embed_tokens.weight", token * 64, NAN)])
    (folder / "rare.txt").write_text("quick quiet quests " * 200)
    answer = gambit("evaluate", "perplexity", "--model", source, "--text", folder / "rare.txt", "--sequence-length", 64)
    row.count(is_refusal(answer, 2) and not_numbers in answer.stderr, f"a rare token that is no number: {answer.stderr}")

    accepted(bench, row, "channels that never fire", model(folder, [(name, i, ZERO) for name in (GATE, UP) for i in range(640)]), text)
    accepted(bench, row, "a text of one token", good, folder / "repeated.txt", tokens=1024)
    refused(bench, row, "a text of nothing", good, folder / "empty.txt", says="ask for fewer tokens or add text")
    refused(bench, row, "a text of a few tokens", good, folder / "short.txt", says="ask for fewer tokens or add text")
    refused(bench, row, "fewer tokens than asked for", good, text, says="ask for fewer tokens or add text", tokens=10**9)
    refused(bench, row, "a tokenizer with more tokens than the model", model(folder, vocabulary=64), text,
            says="beyond the vocabulary")
    for sparsity in (0, 1):
        accepted(bench, row, f"sparsity {sparsity}", good, text, sparsity=sparsity)
    for sparsity in (-1, 1.5, ".nan", ".inf"):
        refused(bench, row, f"sparsity {sparsity}", good, text, says="is not a share", sparsity=sparsity)


def refused(bench: Bench, row: Row, what: str, *arguments: object, says: str, **options: object) -> None:
    answer, output = run(bench, *arguments, **options)
    row.count(is_refusal(answer, 2) and says in answer.stderr and not (output / "bundle").exists(),
              f"{what}: exit code {answer.returncode}: {answer.stderr.strip()[-200:]}")


def accepted(bench: Bench, row: Row, what: str, *arguments: object, **options: object) -> None:
    answer, output = run(bench, *arguments, **options)
    verified = gambit("verify", output / "bundle")
    row.count(answer.returncode == 0 and verified.returncode == 0, f"{what}: {answer.stderr[-200:]}{verified.stdout[-200:]}")


def run(bench: Bench, source: Path, text: Path, tokens: int = 4096, sparsity: object = 0.5) -> tuple:
    output, document = bench.scratch / "inputs" / "run", bench.scratch / "inputs" / "pipeline.yaml"
    shutil.rmtree(output, ignore_errors=True)
    document.write_text(PIPELINE.format(model=source, text=text, tokens=tokens, sparsity=sparsity))
    return gambit("run", document, "--output", output), output


def model(folder: Path, pokes: list[tuple[str, int, int]] = [], vocabulary: int | None = None) -> Path:
    """A copy of the tiny model, some of whose bfloat16 weights are others, or whose vocabulary is smaller."""
    copy = folder / f"model-{random.getrandbits(64):x}"
    shutil.copytree(MODEL, copy, ignore=shutil.ignore_patterns("activations*", "oracle*"))
    data = (copy / "model.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8 : 8 + size]), bytearray(data[8 + size :])
    for name, index, bits in pokes:
        start = header[name]["data_offsets"][0]
        body[start + 2 * index : start + 2 * index + 2] = struct.pack("<H", bits)
    if vocabulary:
        tensors = {}
        shorter = b""
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            start, end = entry["data_offsets"]
            if name in ("model.embed_tokens.weight", "lm_head.weight"):
                entry["shape"][0], end = vocabulary, start + vocabulary * entry["shape"][1] * 2
            tensors[name] = entry | {"data_offsets": [len(shorter), len(shorter) + end - start]}
            shorter += body[start:end]
        header, body = tensors, shorter
        configuration = json.loads((copy / "config.json").read_text())
        (copy / "config.json").write_text(json.dumps(configuration | {"vocab_size": vocabulary}))
    text = json.dumps(header).encode()
    (copy / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + body)
    return copy
