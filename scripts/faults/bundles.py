"""Bundles that are damaged or changed: `verify` finds it."""

import os
import random
import shutil
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import MODEL, REPOSITORY, Bench, Row, gambit, is_refusal

KEYS = REPOSITORY / "Tests" / "SignaturesTests" / "Fixtures"


def count_side_by_side(row: Row, attempts: int, attempt: callable) -> None:
    """Calls `attempt(index)`, of which any 64 that follow each other may run at once."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, attempts, 64):
            for ok, what in pool.map(attempt, range(start, min(start + 64, attempts))):
                row.count(ok, what)


def damaged(bench: Bench, row: Row, attempts: int, damage: callable, *options: object) -> None:
    """`verify` finds each damage that is done to a copy of the bundle."""
    def attempt(index: int) -> tuple[bool, str]:
        folder = bench.scratch / f"damaged-{index % 64}-{damage.__name__}"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(bench.bundle, folder)
        what = damage(folder, random.Random(index))
        answer = gambit("verify", folder, *options)
        return is_refusal(answer, 1), f"{what}: exit code {answer.returncode}"

    count_side_by_side(row, attempts, attempt)


def changed_statistics(bench: Bench, row: Row, attempts: int) -> None:
    """A bit of statistics is flipped: they are refused, or the numbers are the same. libhdf5 may crash, but not for us."""
    whole = (bench.scratch / "reference" / "statistics.h5").read_bytes()
    folder = bench.scratch / "statistics"
    folder.mkdir()

    def solve(index: int, data: bytes) -> tuple[subprocess.CompletedProcess, bytes | None]:
        path, solved = folder / f"{index % 64}.h5", folder / f"{index % 64}.safetensors"
        path.write_bytes(data)
        solved.unlink(missing_ok=True)
        answer = gambit("solve", "--model", MODEL, "--statistics", path, "--method", "energy", "--attention", "on",
                        "--sparsity", "0.5", "--output", solved)
        if answer.returncode:
            return answer, None
        made = solved.read_bytes()
        # Behind the header, which has the digest of the statistics.
        return answer, made[8 + struct.unpack("<Q", made[:8])[0] :]

    right = solve(0, whole)[1]

    def attempt(index: int) -> tuple[bool, str]:
        numbers = random.Random(index)
        data, place = bytearray(whole), numbers.randrange(len(whole) * 8)
        # Every other one among the first bytes, where there is more structure than numbers.
        place = place % (8 << 14) if index % 2 else place
        data[place // 8] ^= 1 << place % 8
        answer, tensors = solve(index, data)
        return is_refusal(answer, 2) or tensors == right, f"bit {place}: {answer.returncode} {answer.stderr.strip()[-200:]}"

    count_side_by_side(row, attempts, attempt)


def files_of(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def flip_a_bit(folder: Path, numbers: random.Random) -> str:
    path = numbers.choice(files_of(folder))
    data = bytearray(path.read_bytes())
    place = numbers.randrange(len(data) * 8)
    data[place // 8] ^= 1 << place % 8
    path.write_bytes(data)
    return f"bit {place} of {path.name}"


def cut_a_file(folder: Path, numbers: random.Random) -> str:
    path = numbers.choice(files_of(folder))
    size = numbers.randrange(path.stat().st_size)
    os.truncate(path, size)
    return f"{path.name} cut to {size}"


def lose_add_or_swap_a_file(folder: Path, numbers: random.Random) -> str:
    first, second = numbers.sample(files_of(folder), 2)
    match numbers.randrange(4):
        case 0:
            first.unlink()
            return f"{first.name} removed"
        case 1:
            shutil.copy(first, folder / f"other-{first.name}")
            return f"a second {first.name}"
        case 2:
            first.unlink()
            first.symlink_to("/etc/passwd")
            return f"{first.name} a link"
        case _:
            data = first.read_bytes()
            first.write_bytes(second.read_bytes())
            second.write_bytes(data)
            return f"{first.name} and {second.name} swapped"


def change_signed_bundle(folder: Path, numbers: random.Random) -> str:
    gambit("sign", folder, "--key", KEYS / "key.pem")
    match numbers.randrange(4):
        case 0:
            gambit("sign", folder, "--key", KEYS / "pkcs8.pem")
            (folder / "model.sig").write_bytes((KEYS / "signed" / "model.sig").read_bytes())
            return "the signature of other files"
        case 1:
            # Everything made anew, digests and golden vectors too: without a signature nobody could tell.
            signature = (folder / "model.sig").read_bytes()
            thresholds = next(folder.parent.glob("reference/thresholds-*-0.3.safetensors"))
            made = gambit("export", "--model", MODEL, "--thresholds", thresholds, "--weights", "int8", "--output", folder)
            good = gambit("verify", folder)
            (folder / "model.sig").write_bytes(signature)
            if made.returncode or good.returncode:
                raise RuntimeError(f"there is no other bundle: {made.stderr} {good.stdout}")
            return "a whole new bundle under the old signature"
        case _:
            return flip_a_bit(folder, numbers)
