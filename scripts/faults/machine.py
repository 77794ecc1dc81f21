"""A machine that fails or is another: disks that cannot be read or written, little memory, other processors."""

import json
import os
import random
import resource
import shutil
import subprocess
from pathlib import Path

from bench import Bench, Row, gambit, is_refusal

# What a bundle's quality may differ by from one processor to another: the tolerances of `verify --remeasure`.
PERPLEXITY, KL = 0.01, 0.05


def unreadable(bench: Bench, row: Row, attempts: int) -> None:
    """One read of one file fails as that of a broken disk does: one sentence, and the next run gets through."""
    output, library = bench.scratch / "unreadable", bench.scratch / "failing_reads.so"
    source = Path(__file__).with_name("failing_reads.c")
    if subprocess.run(["clang", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]).returncode:
        return
    for _ in range(attempts):
        shutil.rmtree(output, ignore_errors=True)
        number = random.randrange(400)
        answer = bench.run(output, env=os.environ | {
            "LD_PRELOAD": str(library), "GAMBIT_FAILING_FOLDER": str(bench.scratch), "GAMBIT_FAILING_READ": str(number)})
        # Later reads than there are leave a run as it is, and what can be made again may be.
        ok = is_refusal(answer, 2) or answer.returncode == 0 and bench.is_reference(output)
        again = bench.run(output)
        row.count(ok and again.returncode == 0 and bench.is_reference(output),
                  f"read {number}: {answer.returncode}: {answer.stderr.strip()[-200:]}")


def read_only(bench: Bench, row: Row, attempts: int) -> None:
    """Nothing may be written: one sentence, and what was there is as it was."""
    disk = bench.scratch / "read-only"
    disk.mkdir()
    for index in range(attempts):
        if subprocess.run(["mount", "-t", "tmpfs", "none", disk], capture_output=True).returncode:
            return
        try:
            # Nothing yet, some stages of a run, or all of it.
            if index % 3:
                shutil.copytree(bench.scratch / "reference", disk / "run")
            if index % 3 == 1:
                for name in random.sample(sorted(bench.reference), 2):
                    (disk / "run" / name).unlink()
            before = bench.contents(disk)
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            answer = bench.run(disk / "run")
            row.count(is_refusal(answer, 2) and bench.contents(disk) == before,
                      f"{answer.returncode}: {answer.stderr.strip()[-200:]}")
        finally:
            subprocess.run(["umount", disk], check=True)


def short_of_memory(bench: Bench, row: Row, attempts: int) -> None:
    """The address space is limited: one sentence, or a result, and the next run gets through."""
    output = bench.scratch / "short"
    least = least_memory()
    for _ in range(attempts):
        shutil.rmtree(output, ignore_errors=True)
        limit = random.randint(least, 2 * least)
        answer = bench.run(output, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        # Swift has its say before the sentence.
        ok = (answer.returncode == 0 and bench.is_reference(output)
              or answer.returncode == 2 and "memory" in answer.stderr.splitlines()[-1])
        again = bench.run(output)
        row.count(ok and again.returncode == 0 and bench.is_reference(output),
                  f"{limit} bytes: {answer.returncode}: {answer.stderr.strip()[-200:]}")


def least_memory() -> int:
    """The least address space, in bytes, in which the program can say its version: with less it cannot begin."""
    low, high = 1 << 24, 1 << 31
    while high - low > 1 << 20:
        middle = (low + high) // 2
        answer = gambit(
            "--version", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (middle, middle)))
        low, high = (low, middle) if answer.returncode == 0 else (middle, high)
    return high


def other_threads(bench: Bench, row: Row, attempts: int) -> None:
    """The same bytes, whatever the number of threads, and each time."""
    output = bench.scratch / "threads"
    for index in range(attempts):
        shutil.rmtree(output, ignore_errors=True)
        answer = gambit(*bench.command(output), "--threads", 1 + index % 4)
        row.count(answer.returncode == 0 and bench.is_reference(output), f"{1 + index % 4} threads: {answer.stderr.strip()[-200:]}")


def other_processors(bench: Bench, row: Row, attempts: int) -> None:
    """Matrix products and kernels for older processors: figures within the tolerances that `verify --remeasure` has."""
    output = bench.scratch / "processor"
    products = ["SSE41", "AVX", "AVX2", "AVX512_CORE"]
    kernels = ["scalar", "avx2", "avx512"]

    def figures(folder: Path) -> dict:
        return json.loads((folder / "report.json").read_text())

    reference = figures(bench.scratch / "reference")
    for index in range(attempts):
        shutil.rmtree(output, ignore_errors=True)
        product, kernel = products[index % 4], kernels[index // 4 % 3]
        answer = bench.run(output, env=os.environ | {"DNNL_MAX_CPU_ISA": product, "GAMBIT_ISA": kernel})
        if answer.returncode == 2 and "no kernels on this processor" in answer.stderr:
            continue
        near = answer.returncode == 0 and all(
            abs(row["perplexity"] / other["perplexity"] - 1) <= PERPLEXITY and abs(row["kl"] / other["kl"] - 1) <= KL
            for row, other in zip(figures(output)["methods"], reference["methods"]))
        row.count(near, f"{product}, {kernel}: {answer.stderr.strip()[-200:]}")
