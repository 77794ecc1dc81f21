#!/usr/bin/env python3
"""Gambit's decode, dense and sparse, beside llama.cpp's: same model, types and threads, in one run on one machine.

    "$(scripts/python-environment peers)" Benchmarks/decode.py --types int8 q4 --threads 1 2

Needs .build/release/gambit; makes thresholds, bundles and GGUF files where they are missing. The two take turns round
by round, each over about 128 positions of a text. A round in which other programs kept a processor busy is left out as
long as calm ones remain; rows without a calm round are marked.

Bytes a token are those of its matrices and of the keys and values behind it, f16 in llama.cpp and f32 in Gambit. The
share is of the bandwidth that `gambit bench` reads memory with, on as many threads.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from convert_gguf import bytes_per_position, bytes_per_token, convert

REPOSITORY = Path(__file__).resolve().parents[1]
GAMBIT = REPOSITORY / ".build/release/gambit"
FILES = REPOSITORY / "artifacts/decode"
# The pipeline that thresholds come from, and their file in its artifacts.
DEMO = ("smollm2-demo", "thresholds-chess-attention-0.5.safetensors")
PLANES = ("smollm2-planes", "thresholds-planes-attention-global-head-0.5.safetensors")
PROMPT = "The history of the city begins"
POSITIONS = 128
CALM = 0.1  # Processors that other programs keep busy.

# llama.cpp's types that hold what a type of ours holds.
PEERS = {"f32": ["f32"], "f16": ["f16"], "int8": ["q8_0"], "q4": ["q4_1", "q4_0"], "int8-planes": ["q8_0"]}


def prepare(model: Path, kind: str) -> Path:
    """The bundle of one type, exported unless it is newer than all that it comes of."""
    pipeline, name = PLANES if kind == "int8-planes" else DEMO
    folder = REPOSITORY / "artifacts" / pipeline
    thresholds = folder / name
    if not thresholds.exists():
        run([GAMBIT, "run", f"pipelines/{pipeline}.yaml", "--output", folder, "--set", f"model.path={model}",
             "--until", "solve"])
    bundle = FILES / f"bundle-{kind}"
    manifest = bundle / "manifest.json"
    if not manifest.exists() or any(path.stat().st_mtime > manifest.stat().st_mtime for path in (thresholds, GAMBIT)):
        FILES.mkdir(parents=True, exist_ok=True)
        run([GAMBIT, "export", "--model", model, "--thresholds", thresholds, "--weights", kind, "--output", bundle])
    return bundle


def run(command: list) -> bytes:
    return subprocess.run(list(map(str, command)), cwd=REPOSITORY, check=True, stdout=subprocess.PIPE).stdout


def processor_seconds() -> tuple[float, float]:
    """What all programs and the host used since the machine started (0 where it does not say), and what ours did."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        user, nice, system, _, _, interrupts, soft, stolen = map(int, Path("/proc/stat").read_text().split()[1:9])
        busy = (user + nice + system + interrupts + soft + stolen) / os.sysconf("SC_CLK_TCK")
    except OSError:
        busy = 0.0
    return busy, children.ru_utime + children.ru_stime


def measure(command: list) -> tuple[dict, bool]:
    """What the command prints, and whether the machine was otherwise calm."""
    (busy, ours), start = processor_seconds(), time.monotonic()
    document = json.loads(run(command))
    (busy_after, ours_after), seconds = processor_seconds(), time.monotonic() - start
    return document, (busy_after - busy) - (ours_after - ours) < CALM * seconds


def round_of(kind: str, bundle: Path, files: dict[str, Path], threads: list[int], seconds: float):
    """Each measurement of one type once: (side, threads, document, calm)."""
    for count in threads:
        for peer in PEERS[kind]:
            yield peer, count, *measure([
                sys.executable, "Benchmarks/llama_decode.py", files[peer], "--threads", count, "--prompt", PROMPT,
                "--tokens", POSITIONS - 6, "--runs", 2, "--json"])
    # One thread is measured beside any other number.
    for count in [count for count in threads if count > 1] or [1]:
        document, calm = measure([GAMBIT, "bench", bundle, "--threads", count, "--decode-only", "--quiet",
                                  "--seconds", seconds, "--json"])
        for row in document["end_to_end"]:
            yield "gambit", row["threads"], row | {"read_gbps": document["machine"]["read_gbps"]}, calm


def median(measured: list[tuple[dict, bool]], *path: str) -> float:
    """Of a figure, over the calm rounds or over all where none was calm."""
    documents = [document for document, calm in measured if calm] or [document for document, _ in measured]
    values = []
    for value in documents:
        for key in path:
            value = value[key]
        values.append(value)
    return statistics.median(values)


def row(kind: str, peer: str, count: int, file: Path, measured: dict) -> dict:
    llama, gambit = measured[peer, count], measured["gambit", count]
    bandwidth = median(gambit, "read_gbps", str(count)) * 1e9
    rates = {
        "llama_cpp": median(llama, "tokens_per_second"),
        "dense": median(gambit, "tokens_per_second", "dense"),
        "sparse": median(gambit, "tokens_per_second", "sparse"),
    }
    bytes_read = {
        "llama_cpp": bytes_per_token(file) + bytes_per_position(file) * POSITIONS / 2,
        "dense": median(gambit, "bytes_dense"),
        "sparse": median(gambit, "bytes_sparse"),
    }
    return {
        "type": kind, "llama_cpp_type": peer, "threads": count, "tokens_per_second": rates, "bytes": bytes_read,
        "dense_over_llama_cpp": rates["dense"] / rates["llama_cpp"],
        "sparse_over_llama_cpp": rates["sparse"] / rates["llama_cpp"],
        "read_gbps": bandwidth / 1e9,
        "share_of_read_bandwidth": {side: rates[side] * bytes_read[side] / bandwidth for side in rates},
        "calm_rounds": {"llama_cpp": sum(calm for _, calm in llama), "gambit": sum(calm for _, calm in gambit)},
    }


def table(rows: list[dict]) -> str:
    lines = [f"{'':20}{'tokens/s':^39}{'MB a token':^24}{'share of bandwidth':^24}",
             f"{'type':12}{'threads':>7} {'llama.cpp':>10}{'dense':>8}{'ratio':>6}{'sparse':>8}{'ratio':>6}"
             + f"{'llama.cpp':>10}{'dense':>7}{'sparse':>7}" * 2]
    for row in rows:
        rates, megabytes, share = row["tokens_per_second"], row["bytes"], row["share_of_read_bandwidth"]
        calm = min(row["calm_rounds"].values()) > 0
        dense, sparse = (f"{row[f'{side}_over_llama_cpp']:.2f}" if calm else "–" for side in ("dense", "sparse"))
        lines.append(
            f"{row['type'] + ' / ' + row['llama_cpp_type']:12}{row['threads']:7} {rates['llama_cpp']:10.1f}"
            f"{rates['dense']:8.1f}{dense:>6}"
            f"{rates['sparse']:8.1f}{sparse:>6}"
            f"{megabytes['llama_cpp'] / 1e6:10.1f}{megabytes['dense'] / 1e6:7.1f}{megabytes['sparse'] / 1e6:7.1f}"
            f"{share['llama_cpp']:10.0%}{share['dense']:7.0%}{share['sparse']:7.0%}{'' if calm else ' *'}")
    bandwidth = {row["threads"]: row["read_gbps"] for row in rows}
    lines.append("read bandwidth: " + ", ".join(f"{gbps:.1f} GB/s on {count} thread{'s' * (count > 1)}"
                                                for count, gbps in bandwidth.items()))
    if any(min(row["calm_rounds"].values()) == 0 for row in rows):
        lines.append("* other programs ran in every round: measure again on a calm machine")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--types", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="of Gambit's decode for each number of threads")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()

    model = Path(run(["scripts/fetch-model"]).decode().strip())
    files = convert(model, FILES, [peer for kind in arguments.types for peer in PEERS[kind]])
    bundles = {kind: prepare(model, kind) for kind in arguments.types}
    measured: dict[tuple, list] = {}
    build: dict = {}
    for index in range(arguments.rounds):
        for kind in arguments.types:
            print(f"round {index + 1} of {arguments.rounds}: {kind}", file=sys.stderr)
            for side, count, document, calm in round_of(kind, bundles[kind], files, arguments.threads,
                                                        arguments.seconds):
                measured.setdefault((kind, side, count), []).append((document, calm))
                build = document.get("build", build)

    rows = [row(kind, peer, count, files[peer], {key[1:]: value for key, value in measured.items() if key[0] == kind})
            for kind in arguments.types for peer in PEERS[kind] for count in arguments.threads]
    if arguments.json:
        print(json.dumps({"rows": rows, "llama_cpp": build}, indent=2))
    else:
        print(table(rows))
        print(f"llama.cpp: {build['package']}, {build['system_info']}")


if __name__ == "__main__":
    main()
