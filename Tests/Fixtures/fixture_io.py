"""What the fixture scripts share: where files lie and how they are written."""

import importlib.metadata
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

FIXTURES = Path(__file__).resolve().parent
REPOSITORY = FIXTURES.parent.parent
CORPORA = REPOSITORY / "pipelines" / "corpora"


def versions(*packages: str) -> dict[str, str]:
    """The installed versions, so that a fixture says what it was made with."""
    return {name: importlib.metadata.version(name) for name in packages}


def documents(name: str) -> list[str]:
    """The texts of a corpus of pipelines/corpora, in file order."""
    lines = (CORPORA / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def save(path: Path, tensors: dict[str, np.ndarray], made_with: dict[str, str]) -> None:
    """Writes contiguous tensors with the versions as string metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, path, metadata=made_with)
    print(f"{path.relative_to(REPOSITORY)}  {path.stat().st_size:,} bytes")
