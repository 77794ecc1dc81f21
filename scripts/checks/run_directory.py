"""Where the files of one finished run lie, and the model's shapes."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class RunDirectory:
    root: Path
    bundle_path: Path | None = None  # `bundle` in the root unless given

    @property
    def sample(self) -> Path:
        return self.root / "sample.h5"

    @property
    def statistics(self) -> Path:
        return self.root / "statistics.h5"

    @property
    def report(self) -> Path:
        return self.root / "report.json"

    @property
    def bundle(self) -> Path:
        return self.bundle_path or self.root / "bundle"

    @property
    def weights(self) -> Path:
        return self.bundle / "weights.safetensors.zst"

    @property
    def thresholds(self) -> list[Path]:
        """`thresholds.safetensors`, or one a method and budget."""
        return sorted(self.root.glob("thresholds*.safetensors"))

    @cached_property
    def shapes(self) -> "Shapes":
        return Shapes.of(json.loads((self.bundle / "config.json").read_text()))


@dataclass(frozen=True)
class Shapes:
    """The sizes of the model in `config.json` that other files must agree with."""

    layers: int
    hidden: int
    intermediate: int
    query: int
    vocabulary: int

    @staticmethod
    def of(configuration: dict) -> "Shapes":
        heads = configuration["num_attention_heads"]
        head = configuration.get("head_dim") or configuration["hidden_size"] // heads
        return Shapes(
            layers=configuration["num_hidden_layers"], hidden=configuration["hidden_size"],
            intermediate=configuration["intermediate_size"], query=heads * head,
            vocabulary=configuration["vocab_size"])
