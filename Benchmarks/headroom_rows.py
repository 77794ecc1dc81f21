"""The rows of headroom.py: what each layer leaves out where parts of a method are replaced by perfect ones."""

import json
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from divergence import divergence, log_probabilities
from linear_repair import repairs
from sparse_llama import DENSE, Cut, SparseLlama
from sparsity_budget import Curve, one_price

REPOSITORY = Path(__file__).resolve().parents[1]
CORPORA = REPOSITORY / "pipelines/corpora"
FOLDER = REPOSITORY / "artifacts/headroom"
CALIBRATION, HELD_OUT = ("wikitext2-valid.jsonl", "lambada-a.jsonl"), "wikitext2-test.jsonl"
SPARSITIES = (0.3, 0.5, 0.7)
WINDOW = 512
END_OF_TEXT = "<|im_end|>"
CURVE_WINDOWS, PROBE_WINDOWS, REPAIR_WINDOWS = 8, 2, 12  # of calibration text
PROBE_SPARSITY = 0.5

Rows = dict[tuple[str, float], list[Cut]]  # by name and sparsity
Score = Callable[[int, Tensor, Tensor], Tensor]  # layer, act(gate), up


class Laboratory:
    """The model, the texts' windows and Gambit's thresholds."""

    def __init__(self, options: Namespace) -> None:
        self.options, self.model = options, SparseLlama(options.model)
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.dense = [DENSE] * len(self.model.layers)
        self.texts: dict[str, list[Tensor]] = {}  # windows by file

    def windows(self, file: str, count: int) -> list[Tensor]:
        """The first windows of a text: its documents, each with the end-of-text token behind it, joined and cut."""
        if file not in self.texts:
            joined = FOLDER / f"{file}.txt"
            documents = [json.loads(line)["text"] for line in (CORPORA / file).read_text(encoding="utf-8").splitlines()]
            joined.write_text("".join(document + END_OF_TEXT for document in documents), encoding="utf-8")
            tokens = self._gambit("tokenize", "--model", self.options.model, "--file", joined, "--json")
            ids = torch.tensor(json.loads(tokens)["ids"])
            self.texts[file] = list(ids[:len(ids) // WINDOW * WINDOW].view(-1, WINDOW))
        return self.texts[file][:count]

    def calibration(self, count: int) -> list[Tensor]:
        """As many windows of each calibration text, in turn."""
        halves = [self.windows(file, count // 2) for file in CALIBRATION]
        return [window for pair in zip(*halves) for window in pair]

    def solved(self, method: str, sparsity: float) -> tuple[list[Cut], dict[str, float]]:
        """The layers' cuts, of attention too with `energy`, and the shares that they drop of the calibration text."""
        file = FOLDER / f"thresholds-{method}-{sparsity}.safetensors"
        if not file.exists():
            self._gambit("solve", "--statistics", self.options.statistics, "--model", self.options.model,
                         "--method", method, "--attention", "on" if method == "energy" else "off",
                         "--sparsity", sparsity, "--output", file)
        with safe_open(file, framework="pt") as tensors:
            names, metadata = set(tensors.keys()), tensors.metadata()

            def value(layer: int, name: str) -> Tensor | None:
                name = f"layers.{layer}.{name}"
                return tensors.get_tensor(name) if name in names else None

            cuts = []
            for layer in range(len(self.model.layers)):
                source = value(layer, "ffn.source")
                cuts.append(Cut(
                    rows=value(layer, "ffn.threshold"), up_decides=None if source is None else source.bool(),
                    columns=value(layer, "ffn.product_threshold"), inputs=value(layer, "ffn.input_threshold"),
                    query=value(layer, "attention.query_threshold"),
                    output=value(layer, "attention.output_threshold")))
        return cuts, {key: float(metadata[key]) for key in ("realised_ffn", "realised_down") if key in metadata}

    def _gambit(self, *arguments: object) -> bytes:
        command = [self.options.gambit, *map(str, arguments)]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=REPOSITORY).stdout


def ffn_alone(cuts: list[Cut]) -> list[Cut]:
    return [replace(cut, query=None, output=None) for cut in cuts]


def curves(model: SparseLlama, windows: list[Tensor], cuts: list[Cut], score: Score) -> list[Curve]:
    """How the scores of each layer lie, where the layers in front of it are dense."""
    result = [Curve() for _ in cuts]
    for ids in windows:
        x = model.embed(ids)
        for layer, cut in enumerate(cuts):
            x = model.attention(layer, x, DENSE)
            h = model.ffn_input(layer, x)
            gate, up = model.factors(layer, h, cut)
            result[layer].add(score(layer, gate, up), gate * up)
            x = x + model.ffn(layer, h, DENSE)
    return result


def sensitivities(model: SparseLlama, windows: list[Tensor], cuts: list[Cut], energies: list[float]) -> list[float]:
    """KL a token for each unit of energy dropped, each layer cut alone."""
    losses = [0.0] * len(cuts)
    for ids in windows:
        streams = [model.embed(ids)]
        for layer in range(len(cuts)):
            streams.append(model.layer(layer, streams[-1], DENSE))
        dense = log_probabilities(model, streams[-1])
        for layer, cut in enumerate(cuts):
            x = model.run(model.layer(layer, streams[layer], cut), [DENSE] * len(cuts), start=layer + 1)
            losses[layer] += divergence(dense, log_probabilities(model, x)) / len(windows)
    return [loss / energy for loss, energy in zip(losses, energies)]


def kept_on_disk(name: str, make: Callable[[], object]) -> object:
    file = FOLDER / f"{name}.pt"
    if not file.exists():
        print(f"headroom: {name}", file=sys.stderr)
        torch.save(make(), file.with_suffix(".partial"))
        os.replace(file.with_suffix(".partial"), file)
    return torch.load(file, weights_only=False)


class Oracle:
    """What is known of the scores of all layers on the calibration text, for one kind of score."""

    def __init__(self, lab: Laboratory, name: str, cuts: list[Cut], score: Score) -> None:
        self.curves = kept_on_disk(f"curves-{name}", lambda: curves(
            lab.model, lab.calibration(CURVE_WINDOWS), cuts, score))

    def quantiles(self, share: float) -> list[Tensor]:
        return [curve.quantile(share) for curve in self.curves]

    def at_one_price(self, share: float, sensitivity: list[float]) -> list[Tensor]:
        return one_price(self.curves, sensitivity, share)


def product(layer: int, gate: Tensor, up: Tensor) -> Tensor:
    return gate * up


def by_product(thresholds: list[Tensor]) -> list[Cut]:
    return [Cut(rows=rows, product_decides=True) for rows in thresholds]


def prices(lab: Laboratory) -> list[float]:
    """What a unit of dropped energy costs in each layer, where the smallest products are dropped."""
    oracle = Oracle(lab, "product", lab.dense, product)
    energies = [curve.energy_below(PROBE_SPARSITY) for curve in oracle.curves]
    return kept_on_disk("sensitivities", lambda: sensitivities(
        lab.model, lab.calibration(PROBE_WINDOWS), by_product(oracle.quantiles(PROBE_SPARSITY)), energies))


def oracle_rows(lab: Laboratory) -> Rows:
    """The product of each channel is known before anything is read."""
    oracle = Oracle(lab, "product", lab.dense, product)
    return {("oracle", k): by_product(oracle.quantiles(k)) for k in SPARSITIES} | {
        ("oracle, price", k): by_product(oracle.at_one_price(k, prices(lab))) for k in SPARSITIES}


def chess_rows(lab: Laboratory) -> Rows:
    chess = {k: lab.solved("chess", k)[0] for k in SPARSITIES}
    base = chess[SPARSITIES[0]]
    scores = Oracle(lab, "chess", lab.dense, lambda layer, gate, up: gate / base[layer].rows)
    return {("chess", k): cuts for k, cuts in chess.items()} | {
        ("chess, price", k): [replace(cut, rows=cut.rows * scale)
                              for cut, scale in zip(base, scores.at_one_price(k, prices(lab)))] for k in SPARSITIES}


def energy_rows(lab: Laboratory) -> Rows:
    rows, exact_oracle = {}, Oracle(lab, "product", lab.dense, product)
    for k in SPARSITIES:
        whole, shares = lab.solved("energy", k)
        alone = ffn_alone(whole)
        exact = [replace(cut, inexact=False) for cut in alone]

        def decided_by(oracle: Oracle, cuts: list[Cut]) -> list[Cut]:
            thresholds = zip(oracle.quantiles(shares["realised_ffn"]), oracle.quantiles(shares["realised_down"]))
            return [replace(cut, rows=first, columns=second, product_decides=True)
                    for cut, (first, second) in zip(cuts, thresholds)]

        rows |= {
            ("energy", k): alone,
            ("energy, exact inputs", k): exact,
            ("energy, oracle rows", k): decided_by(Oracle(lab, f"product-{k}", alone, product), alone),
            ("energy, both", k): decided_by(exact_oracle, exact),
            ("energy, one cut", k): [replace(cut, columns=None) for cut in alone],
            ("energy, attention", k): whole,
            ("query", k): [Cut(query=cut.query) for cut in whole],
            ("output", k): [Cut(output=cut.output) for cut in whole],
        }
    return rows


def repaired_rows(lab: Laboratory) -> Rows:
    """The dropped part is predicted from the FFN's input."""
    methods = {("chess", k): lab.solved("chess", k)[0] for k in SPARSITIES}
    methods |= {("energy", k): ffn_alone(lab.solved("energy", k)[0]) for k in SPARSITIES}
    fitted = kept_on_disk("repairs", lambda: repairs(lab.model, lab.calibration(REPAIR_WINDOWS), methods))
    return {(f"{name}, repaired", k): cuts for (name, k), cuts in fitted.items()}


GROUPS = {"chess": chess_rows, "oracle": oracle_rows, "energy": energy_rows, "repaired": repaired_rows}
