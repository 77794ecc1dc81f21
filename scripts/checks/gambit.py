"""Runs the built program and reads its answers."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from outcome import require
from run_directory import REPOSITORY

# Weights are unpacked into a folder that goes with the checks, not into the user's.
CACHE = tempfile.TemporaryDirectory(prefix="gambit-cache-")
os.environ["GAMBIT_CACHE"] = CACHE.name

PROGRAM = Path(os.environ.get("GAMBIT_PROGRAM", REPOSITORY / ".build" / "release" / "gambit"))


@dataclass(frozen=True)
class Answer:
    """What a finished command left: its exit code and texts."""

    code: int
    output: str
    errors: str


def attempt(*arguments: object) -> Answer:
    """Runs `gambit ARGUMENTS…` to its end, whatever that is."""
    answer = subprocess.run([PROGRAM, *map(str, arguments)], cwd=REPOSITORY, capture_output=True)
    return Answer(answer.returncode, *(text.decode(errors="replace") for text in (answer.stdout, answer.stderr)))


def peak_memory(*arguments: object) -> int:
    """Runs `gambit ARGUMENTS…`, which must succeed, and gives the most memory it held, in bytes.

    A small process starts it: the system counts what the parent holds at the moment of the fork, too.
    """
    measure = (
        "import os, subprocess, sys; process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL);"
        "_, status, usage = os.wait4(process.pid, 0); print(usage.ru_maxrss); sys.exit(status != 0)")
    answer = subprocess.run(
        [sys.executable, "-c", measure, PROGRAM, *map(str, arguments)], cwd=REPOSITORY, check=True, capture_output=True)
    return int(answer.stdout) * (1 if sys.platform == "darwin" else 1024)


def run(*arguments: object) -> Answer:
    """Runs `gambit ARGUMENTS…`, which must succeed."""
    answer = attempt(*arguments)
    require(answer.code == 0, f"gambit {arguments[0]} ended with {answer.code}: {answer.errors.strip()[-300:]}")
    return answer


def ask(*arguments: object) -> dict:
    """Runs `gambit ARGUMENTS… --json` and reads the one document that it prints."""
    return json.loads(run(*arguments, "--json").output)


def kill_after(seconds: float, *arguments: object) -> bool:
    """Kills `gambit ARGUMENTS…` without warning; false where it had ended before."""
    process = subprocess.Popen(
        [PROGRAM, *map(str, arguments)], cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    if process.poll() is not None:
        return False
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return True


def refuse(*arguments: object) -> str:
    """Runs `gambit ARGUMENTS…`, which must fail with a message and without crashing; gives the message."""
    answer = attempt(*arguments)
    require(0 < answer.code < 128, f"gambit {arguments[0]} ended with {answer.code}")  # a signal is negative here
    require(bool(answer.errors.strip()), f"gambit {arguments[0]} failed without a word")
    require("Fatal error" not in answer.errors, answer.errors.strip())
    return answer.errors


def modification_times(directory: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in directory.rglob("*") if path.is_file()}
