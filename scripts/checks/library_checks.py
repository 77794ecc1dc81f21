"""The C interface, as a C program and Python's ctypes call it."""

import ctypes
import subprocess
import sys
from ctypes import byref, c_int32, c_void_p
from pathlib import Path

import gambit
from outcome import require
from run_directory import REPOSITORY, RunDirectory

EXAMPLES = REPOSITORY / "Documentation" / "examples"
LIBRARY = gambit.PROGRAM.parent / ("libGambitRuntime.dylib" if sys.platform == "darwin" else "libGambitRuntime.so")
PROMPT, TOKENS = "The lighthouse keeper wrote that", 12


def examples_decode_as_the_program(run: RunDirectory, scratch: Path) -> None:
    """library: programs in C, Python and Swift continue a prompt with the tokens that `gambit generate` finds."""
    program = scratch / "continue"
    subprocess.run(
        ["clang", "-Wall", "-Wextra", "-Werror", "-I", REPOSITORY / "Sources" / "RuntimeLibrary", EXAMPLES / "continue.c",
         "-L", LIBRARY.parent, "-lGambitRuntime", f"-Wl,-rpath,{LIBRARY.parent}", "-o", program], check=True)
    ids = gambit.ask("generate", "--bundle", run.bundle, "--prompt", PROMPT, "--max-tokens", TOKENS)["ids"]
    require(len(ids) == TOKENS, f"the program ends after {len(ids)} tokens")
    swift = gambit.PROGRAM.parent / "continue"
    for command in ([program], [sys.executable, EXAMPLES / "continue.py", LIBRARY], [swift]):
        answer = subprocess.run([*command, run.bundle, PROMPT, str(TOKENS)], capture_output=True, text=True)
        found = [int(line.split("\t")[0]) for line in answer.stdout.splitlines() if line[:1].isdigit()]
        require(answer.returncode == 0 and found == ids, f"{command[0]}: {found}, not {ids} {answer.stderr}")


def misuse_is_a_sentence(run: RunDirectory) -> None:
    """library: what a caller gets wrong is a sentence, and the model goes on."""
    library = ctypes.CDLL(str(LIBRARY))
    library.gambit_open.restype = library.gambit_logits.restype = c_void_p
    error = c_void_p()

    def told(words: str) -> None:
        text = ctypes.string_at(error).decode() if error else ""
        require(words in text, f"'{text}' does not say '{words}'")
        library.gambit_free_text(error)

    def model(path: Path, sparsity: float = -1, capacity: int = 4, threads: int = 2) -> c_void_p:
        return c_void_p(library.gambit_open(
            str(path).encode(), ctypes.c_double(sparsity), c_int32(capacity), c_int32(threads), byref(error)))

    def feed(running: c_void_p, *tokens: int) -> int:
        return library.gambit_feed(running, (c_int32 * len(tokens))(*tokens), c_int32(len(tokens)), c_int32(1), byref(error))

    for arguments, words in (((Path("/nowhere"),), "nowhere"), ((run.bundle, 0.123), "0.123"),
                             ((run.bundle, -1, -5), "capacity"), ((run.bundle, -1, 4, 5000), "threads")):
        require(not model(*arguments), f"{arguments} was opened")
        told(words)
    running = model(run.bundle)
    require(not library.gambit_logits(running), "there are logits before there is a token")
    require(feed(running, 1, 1 << 30) == -1 and library.gambit_position(running) == 0, "a foreign token was fed")
    told("vocabulary")
    require(feed(running, 1, 2, 3) == 0 and library.gambit_position(running) == 3, "three tokens were not fed")
    require(bool(library.gambit_logits(running)), "there are no logits")
    require(feed(running, 1, 2) == -1 and library.gambit_position(running) == 3, "more was fed than there is room for")
    told("capacity")
    library.gambit_reset(running)
    require(feed(running, 1, 2, 3, 4) == 0, "nothing can be fed after a reset")
    library.gambit_close(running)
    library.gambit_close(None)
