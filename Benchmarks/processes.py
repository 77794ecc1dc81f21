"""Runs `gambit` and says what it took."""

import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
ARTIFACTS = REPOSITORY / "artifacts"
PROGRAM = Path(os.environ.get("GAMBIT_PROGRAM", REPOSITORY / ".build" / "release" / "gambit"))


def gambit(
    *arguments: object, environment: dict[str, str] | None = None, enter: Callable[[], None] | None = None,
    watch: Callable[[int], None] | None = None,
) -> tuple[float, int]:
    """Seconds and peak resident bytes of `gambit ARGUMENTS…`, which must not fail. Needs Linux.

    The new process calls `enter` first; `watch` is called with its number again and again.
    """
    begun = time.monotonic()
    process = subprocess.Popen(
        [str(word) for word in (PROGRAM, *arguments, "--quiet")], stdout=subprocess.DEVNULL, preexec_fn=enter,
        env=os.environ | (environment or {}))
    ended = threading.Event()

    def observe() -> None:
        while watch and not ended.wait(0.05):
            watch(process.pid)

    observer = threading.Thread(target=observe)
    observer.start()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begun
    ended.set()
    observer.join()
    if status != 0:
        raise SystemExit(f"gambit {arguments[0]} ended with status {status}")
    return seconds, usage.ru_maxrss * 1024
