#!/usr/bin/env python3
"""What grows with what: collection with tokens and with shards, merging with the number of shards.

    "$(scripts/python-environment)" Benchmarks/scale.py MODEL

Prints Markdown tables of time and peak memory, all of one run on one machine. Mergers are of shards of one sequence each of
a random model with two layers, so that 256 of them fit on a disk.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from processes import ARTIFACTS, REPOSITORY, gambit

CORPORA = REPOSITORY / "pipelines" / "corpora"


def sample(model: Path, tokens: int, length: int, path: Path) -> None:
    texts = [CORPORA / "wikitext2-valid.jsonl", CORPORA / "lambada-a.jsonl"]
    gambit("sample", "--model", model, "--text", *texts, "--tokens", tokens, "--sequence-length", length, "--output", path)


def with_tokens(model: Path, scratch: Path) -> None:
    print("| tokens | `collect` | tokens/s | memory | statistics |\n|---:|---:|---:|---:|---:|")
    for tokens in (4096, 16384, 65536):
        sample(model, tokens, 512, scratch / "sample.h5")
        seconds, memory = gambit(
            "collect", "--model", model, "--sample", scratch / "sample.h5", "--output", scratch / "s.h5", "--restart")
        size = (scratch / "s.h5").stat().st_size / 1e6
        print(f"| {tokens} | {seconds:.1f} s | {tokens / seconds:.0f} | {memory / 1e6:.0f} MB | {size:.0f} MB |", flush=True)


def with_shards(model: Path, scratch: Path) -> None:
    print("\n| shards of 16,384 tokens | `collect` of one | of all, one after the other | `merge` | its memory |")
    print("|---:|---:|---:|---:|---:|")
    sample(model, 16384, 512, scratch / "sample.h5")
    for count in (1, 2, 4, 8):
        paths = [scratch / f"{index}-of-{count}.h5" for index in range(1, count + 1)]
        times = [
            gambit("collect", "--model", model, "--sample", scratch / "sample.h5", "--shard", f"{index}/{count}",
                   "--output", path, "--restart")[0]
            for index, path in enumerate(paths, start=1)]
        seconds, memory = gambit("merge", *paths, "--output", scratch / "merged.h5")
        print(f"| {count} | {max(times):.1f} s | {sum(times):.1f} s | {seconds:.1f} s | {memory / 1e6:.0f} MB |", flush=True)
        for path in paths:
            path.unlink()


def with_merged_files(scratch: Path) -> None:
    print("\n| shards merged | time | time a shard | memory |\n|---:|---:|---:|---:|")
    model, count = scratch / "random", 256
    subprocess.run(
        [sys.executable, REPOSITORY / "Benchmarks" / "make_random_model.py", model, "--layers", "2", "--hidden", "512",
         "--ffn", "1408"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sample(model, 64 * count, 64, scratch / "sample.h5")
    paths = [scratch / f"part-{index}.h5" for index in range(1, count + 1)]
    for index, path in enumerate(paths, start=1):
        gambit("collect", "--model", model, "--sample", scratch / "sample.h5", "--shard", f"{index}/{count}", "--output", path)
    for some in (4, 16, 64, 256):
        seconds, memory = gambit("merge", *paths[:some], "--partial", "--output", scratch / "merged.h5")
        print(f"| {some} | {seconds:.1f} s | {seconds / some * 1000:.0f} ms | {memory / 1e6:.0f} MB |", flush=True)


def main() -> None:
    model = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="gambit-scale-", dir=ARTIFACTS) as folder:
        with_tokens(model, Path(folder))
        with_shards(model, Path(folder))
        with_merged_files(Path(folder))


if __name__ == "__main__":
    main()
