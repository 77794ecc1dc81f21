"""Runs that are killed, starved or crowded: nothing is lost, nothing half-written, and the next run gets through."""

import os
import random
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

from bench import MODEL, PROGRAM, Bench, Row, gambit, is_refusal


def killed(bench: Bench, signals: list[int], row: Row, attempts: int) -> None:
    """Ends a run at random moments until it gets through, again and again; what it leaves in the end is compared."""
    output = bench.scratch / "killed"
    while row.tried < attempts:
        shutil.rmtree(output, ignore_errors=True)
        for _ in range(random.randint(1, 6)):
            number = random.choice(signals)
            process = subprocess.Popen(
                [PROGRAM, *map(str, bench.command(output))], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(random.uniform(0, bench.seconds))
            process.send_signal(number)
            code = process.wait()
            if code == 0:
                continue
            # A process that has hardly begun ends as the system has it.
            expected = (-number,) if number == signal.SIGKILL else (128 + number, -number)
            left = [path.name for path in output.rglob(".*.partial")] if number != signal.SIGKILL else []
            row.count(code in expected and not left, f"exit code {code}, {left} left")
        answer = bench.run(output)
        if answer.returncode != 0 or not bench.is_reference(output):
            row.failures.append(f"the run after it differs: {answer.stderr.strip()[-200:]}")


def starved(bench: Bench, row: Row, attempts: int) -> None:
    """Files may not grow beyond a limit: one sentence, nothing half-written, and the next run gets through."""
    output = bench.scratch / "starved"
    largest = max(len(data) for data in bench.reference.values())
    for _ in range(attempts):
        shutil.rmtree(output, ignore_errors=True)
        limit = random.randint(0, largest - 1)
        answer = bench.run(output, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        left = [path.name for path in output.rglob(".*.partial")]
        again = bench.run(output)
        row.count(
            is_refusal(answer, 2) and not left and again.returncode == 0 and bench.is_reference(output),
            f"limit {limit}: {answer.returncode}, {left} left: {answer.stderr.strip()[-200:]}")


def filled(bench: Bench, row: Row, attempts: int) -> None:
    """The same of a disk that is full, where this user may mount one."""
    disk = bench.scratch / "disk"
    disk.mkdir()
    total = sum(len(data) for data in bench.reference.values())
    for _ in range(attempts):
        size = random.randint(4096, total // 2)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", disk], capture_output=True).returncode:
            return
        try:
            answer = bench.run(disk / "run")
            left = [path.name for path in disk.rglob(".*.partial")]
            subprocess.run(["mount", "-o", f"remount,size={4 * total}", disk], check=True)
            again = bench.run(disk / "run")
            row.count(
                is_refusal(answer, 2) and not left and again.returncode == 0 and bench.is_reference(disk / "run"),
                f"{size} bytes: {answer.returncode}, {left} left: {answer.stderr.strip()[-200:]}")
        finally:
            subprocess.run(["umount", disk], check=True)


def crowded(bench: Bench, row: Row, attempts: int) -> None:
    """Two runs in one folder: one gets through, the other says who is at work."""
    output = bench.scratch / "crowded"
    for _ in range(attempts):
        shutil.rmtree(output, ignore_errors=True)
        both = [subprocess.Popen([PROGRAM, *map(str, bench.command(output))], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True) for _ in range(2)]
        answers = sorted((process.wait(), process.stderr.read()) for process in both)
        is_told = answers[1][0] == 2 and "in use by process" in answers[1][1]
        # One that began when the other had ended finds everything up to date.
        row.count(answers[0][0] == 0 and (is_told or answers[1][0] == 0) and bench.is_reference(output), f"{answers}")


def shortened(bench: Bench, row: Row, attempts: int) -> None:
    """A mapped file loses its end while it is read: one sentence, or what had been read already."""
    cache = bench.scratch / "cache"
    for _ in range(attempts):
        shutil.rmtree(cache, ignore_errors=True)
        process = subprocess.Popen(
            [PROGRAM, "generate", "--bundle", str(bench.bundle), "--prompt", "Winter", "--max-tokens", "200"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=os.environ | {"GAMBIT_CACHE": str(cache)})
        while not list(cache.glob("*.safetensors")) and process.poll() is None:
            time.sleep(0.001)
        time.sleep(random.uniform(0, 0.02))
        for path in cache.glob("*.safetensors"):
            os.truncate(path, random.randrange(path.stat().st_size))
        errors = process.communicate()[1]
        told = process.returncode == 2 and ("became shorter" in errors or "not this model's weights" in errors)
        row.count(process.returncode == 0 or told, f"exit code {process.returncode}: {errors.strip()[-200:]}")


def stages_killed(bench: Bench, row: Row, attempts: int) -> None:
    """The same of each stage as a command of its own: what it makes in the end is what it would have made at once."""
    whole, stages = bench.scratch / "stages", bench.stages
    whole.mkdir()
    for _, arguments in stages:
        answer = gambit(*arguments(whole))
        if answer.returncode:
            row.failures.append(f"{arguments(whole)[0]} fails undisturbed: {answer.stderr.strip()[-200:]}")
            return
    while row.tried < attempts:
        name, arguments = random.choice(stages)
        folder = bench.scratch / "stage"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole, folder)
        for path in folder.glob(name):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        command = arguments(folder)
        for _ in range(random.randint(1, 4)):
            process = subprocess.Popen([PROGRAM, *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(random.uniform(0, bench.seconds / 4))
            process.kill()
            code = process.wait()
            row.count(code in (0, -signal.SIGKILL), f"{command[0]}: exit code {code}")
        answer = gambit(*command)
        if answer.returncode or bench.contents(folder) != bench.contents(whole):
            row.failures.append(f"{command[0]} after it: {answer.returncode}, {answer.stderr.strip()[-200:]}")
