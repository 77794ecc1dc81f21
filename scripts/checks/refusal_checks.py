"""Bad input is refused with a sentence and an exit code, never with a crash."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import gambit
from outcome import require
from run_directory import REPOSITORY, RunDirectory


def missing_model_is_refused(scratch: Path) -> None:
    """A model that does not exist is refused by its name."""
    message = gambit.refuse("tokenize", "--model", scratch / "absent.gguf", "--text", "x")
    require("absent.gguf" in message, message)


def damaged_models_are_refused(model: Path, scratch: Path) -> None:
    """Models that are cut short, empty or something else are refused."""
    head = model.read_bytes()[: 1 << 20] if model.is_file() else b""
    for name, content in [("short.gguf", head), ("empty.gguf", b""), ("text.gguf", b"no model" * 64),
                          ("huge.gguf", head[:8] + b"\xff" * 16 + head[24:4096])]:
        path = scratch / name
        path.write_bytes(content)
        message = gambit.refuse("inspect", path)
        require(name in message, message)


def damaged_statistics_are_refused(run: RunDirectory, model: Path, scratch: Path) -> None:
    """Statistics that are cut short are refused."""
    path = scratch / "short.h5"
    path.write_bytes(run.statistics.read_bytes()[: 1 << 16])
    gambit.refuse(
        "solve", "--statistics", path, "--model", model, "--method", "cats", "--sparsity", 0.5,
        "--output", scratch / "none.safetensors")
    require(not (scratch / "none.safetensors").exists(), "thresholds were written all the same")


def damaged_pipelines_are_refused(scratch: Path) -> None:
    """Pipelines that are no YAML, or have unknown keys, are refused."""
    for name, text in [("broken.yaml", "stages: [unclosed"), ("unknown.yaml", "modle: {path: x}\n")]:
        path = scratch / name
        path.write_text(text)
        message = gambit.refuse("run", path, "--output", scratch / "none")
        require(name in message, message)


def impossible_sparsity_is_refused(run: RunDirectory, model: Path, scratch: Path) -> None:
    """A sparsity that is no share is refused."""
    for sparsity in ("1.5", "-0.1", "nan", "half"):
        gambit.refuse(
            "solve", "--statistics", run.statistics, "--model", model, "--method", "cats", f"--sparsity={sparsity}",
            "--output", scratch / "none.safetensors")


def baselines_are_not_exported(run: RunDirectory, model: Path, scratch: Path) -> None:
    """A method that bundles cannot hold is solved, named as such in the list, and refused by export."""
    for method in gambit.ask("solve", "--list")["methods"]:
        if method["exportable"]:
            continue
        path = scratch / f"{method['name']}.safetensors"
        gambit.run(
            "solve", "--statistics", run.statistics, "--model", model, "--method", method["name"], "--attention", "on",
            "--sparsity", 0.5, "--output", path)
        message = gambit.refuse(
            "export", "--model", model, "--thresholds", path, "--output", scratch / "none")
        require(method["name"] in message and not (scratch / "none").exists(), message)


def damaged_bundles_are_refused(run: RunDirectory, scratch: Path) -> None:
    """verify: a bundle of which one bit was flipped, or a file removed, fails."""
    for name in ("thresholds.safetensors", "weights.safetensors.zst", "golden.safetensors"):
        copy = scratch / "damaged"
        shutil.copytree(run.bundle, copy)
        data = bytearray((copy / name).read_bytes())
        data[len(data) // 2] ^= 1
        (copy / name).write_bytes(data)
        gambit.refuse("verify", copy)
        (copy / name).unlink()
        gambit.refuse("verify", copy)
        shutil.rmtree(copy)


def signed_bundles_are_trusted(run: RunDirectory, scratch: Path) -> None:
    """sign, verify --trust: a bundle by a trusted key passes, a changed one and one by others fail, and JSON says which."""
    keys, copy = REPOSITORY / "Tests" / "SignaturesTests" / "Fixtures", scratch / "signed"
    shutil.copytree(run.bundle, copy)
    gambit.run("sign", copy, "--key", keys / "key.pem")
    trusting = ("verify", copy, "--json", "--trust")
    require(failed_checks(*trusting, keys / "key.pub") == [], "a good signature fails")
    require(failed_checks(*trusting, keys / "other.pub") == ["signature"], "anybody's signature passes")
    config = copy / "config.json"
    config.write_bytes(config.read_bytes() + b" ")
    require("signature" in failed_checks(*trusting, keys / "key.pub"), "a changed bundle's signature passes")
    require("private key" in gambit.refuse("verify", copy, "--trust", keys / "key.pem"), "a private key is taken")
    shutil.rmtree(copy)


def failed_checks(*command: object) -> list[str]:
    answer = gambit.attempt(*command)
    failed = [check["name"] for check in json.loads(answer.output)["checks"] if not check["ok"]]
    require(answer.code == (1 if failed else 0), f"exit code {answer.code}")
    return failed


def files_that_crash_libhdf5_are_refused() -> None:
    """HDF5 files that make libhdf5 crash, or keep it busy for ever, are refused."""
    for path in (REPOSITORY / "Tests" / "Fuzzing" / "Seeds").glob("s*/regression-*"):
        message = gambit.refuse("inspect", path)
        require(path.name in message, message)


def torture_is_survived() -> None:
    """torture: a fiftieth of what Documentation/reliability.md lists."""
    answer = subprocess.run(
        [REPOSITORY / "scripts" / "torture", "--short"], capture_output=True, text=True,
        env=os.environ | {"GAMBIT_PROGRAM": str(gambit.PROGRAM)})
    require(answer.returncode == 0, f"{answer.stdout[-1500:]} {answer.stderr[-500:]}")
