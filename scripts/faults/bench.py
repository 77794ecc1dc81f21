"""What faults are tried on: a tiny model, a pipeline, and what an undisturbed run of it leaves behind."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("GAMBIT_PROGRAM", REPOSITORY / ".build" / "release" / "gambit"))
MODEL = REPOSITORY / "Tests" / "Fixtures" / "models" / "llama"

PIPELINE = """\
model: {{path: {model}}}
sample: {{sources: [{{files: [{text}]}}], tokens: {tokens}, sequence_length: 64, seed: 1}}
solve: [{{method: energy, attention: true, sparsity: [0.3, {sparsity}]}}]
evaluate: {{files: [{text}], sequence_length: 64, tokens: 512}}
export: {{method: energy, attention: true, sparsity: {sparsity}, weights: int8}}
"""


@dataclass
class Row:
    """One kind of fault: how often it was tried, and what went wrong."""

    fault: str
    expected: str
    tried: int = 0
    failures: list[str] = field(default_factory=list)

    def count(self, ok: bool, what: str) -> None:
        self.tried += 1
        if not ok:
            self.failures.append(what)


def gambit(*arguments: object, **options: object) -> subprocess.CompletedProcess:
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, errors="replace", **options)


def is_refusal(answer: subprocess.CompletedProcess, code: int) -> bool:
    """One clear sentence and the documented exit code, no crash."""
    return answer.returncode == code and answer.stderr.strip() != "" and "Fatal error" not in answer.stderr


class Bench:
    """A tiny model, its pipeline, and what one undisturbed run makes of them."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        text = scratch / "text.txt"
        text.write_text("\n".join(f"Line {i} says that winter came early, and {i * 7 % 13} boats froze." for i in range(300)))
        self.text = text
        self.pipeline = scratch / "pipeline.yaml"
        self.pipeline.write_text(PIPELINE.format(model=MODEL, text=text, tokens=4096, sparsity=0.5))
        start = time.monotonic()
        answer = self.run(scratch / "reference")
        if answer.returncode != 0:
            sys.exit(f"torture: an undisturbed run fails: {answer.stderr.strip()}")
        self.seconds = time.monotonic() - start
        self.reference = self.contents(scratch / "reference")
        self.bundle = scratch / "reference" / "bundle"

    def command(self, output: Path) -> list[object]:
        return ["run", self.pipeline, "--output", output]

    def run(self, output: Path, **options: object) -> subprocess.CompletedProcess:
        return gambit(*self.command(output), **options)

    @staticmethod
    def contents(folder: Path) -> dict[str, bytes]:
        """Of everything that does not say how long it took."""
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
                if path.is_file() and path.name not in ("report.json", "report.html", "evaluate.json", ".lock")}

    def is_reference(self, folder: Path) -> bool:
        return self.contents(folder) == self.reference

    @property
    def stages(self) -> list[tuple[str, callable]]:
        """What each stage makes in a folder that has what it is made from, and its command."""
        solved = ["--method", "energy", "--attention", "on", "--sparsity", "0.5"]
        return [
            ("sample.h5", lambda folder: ["sample", "--model", MODEL, "--text", self.text, "--tokens", 4096,
                                          "--sequence-length", 64, "--output", folder / "sample.h5"]),
            ("part-1.h5", lambda folder: self.collect(folder, 1)),
            ("part-2.h5", lambda folder: self.collect(folder, 2)),
            ("merged.h5", lambda folder: ["merge", folder / "part-1.h5", folder / "part-2.h5", "--output",
                                          folder / "merged.h5"]),
            ("solved.safetensors", lambda folder: ["solve", "--model", MODEL, "--statistics", folder / "merged.h5", *solved,
                                                   "--output", folder / "solved.safetensors"]),
            ("exported", lambda folder: ["export", "--model", MODEL, "--thresholds", folder / "solved.safetensors",
                                         "--weights", "int8", "--output", folder / "exported"]),
        ]

    @staticmethod
    def collect(folder: Path, part: int) -> list[object]:
        return ["collect", "--model", MODEL, "--sample", folder / "sample.h5", "--shard", f"{part}/2", "--resume",
                "--output", folder / f"part-{part}.h5"]
