#!/usr/bin/env python3
"""Where the loss of a sparse FFN comes from: what perfect knowledge of each part would gain.

    "$(scripts/python-environment oracles)" Benchmarks/headroom.py "$(scripts/fetch-model)" [--windows 12]

The FFN alone, every position sparse, one cut: a dropped channel loses its row and its down column. Rows of the table:

    chess                   the score |g|·rms(u), the same share of every layer
    chess, best budget      the same score, shares by one price for all layers (see `sensitivities`)
    oracle                  |g·u| known before anything is read, the same share of every layer
    oracle, best budget     the same with one price for all layers
    chess, predicted        what chess drops is replaced by its best linear prediction from the FFN's input
    inputs                  the score of chess, but nothing is dropped of the FFN: only the inputs of the gate are

Thresholds and predictions are fitted on WikiText-2's validation text, KL is measured on its test text. Prints Markdown.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer

CORPORA = Path(__file__).resolve().parents[1] / "pipelines" / "corpora"
LENGTH = 512
SHARES = (0.3, 0.5, 0.7)
Drop = Callable[[int, Tensor, Tensor, Tensor], Tensor]  # layer, x, g, u → what goes into the down projection


class Model:
    """A Llama whose FFNs do what `policy` says; dense where it is None."""

    def __init__(self, path: Path) -> None:
        folder, file = str(path.parent), path.name
        self.tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
        self.llama = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32).eval()
        self.llama.requires_grad_(False)
        self.layers = self.llama.model.layers
        self.policy: Drop | None = None
        self.prediction: list[Tensor] | None = None  # [hidden + 1, hidden] a layer, added to the output
        self.input_cut: list[float] | None = None  # thresholds on the gate's input
        for index, layer in enumerate(self.layers):
            layer.mlp.forward = lambda x, index=index, mlp=layer.mlp: self.feed_forward(index, mlp, x)

    def feed_forward(self, index: int, mlp: torch.nn.Module, x: Tensor) -> Tensor:
        gate_input = x if self.input_cut is None else x * (x.abs() >= self.input_cut[index])
        g, u = mlp.act_fn(mlp.gate_proj(gate_input)), mlp.up_proj(x)
        product = g * u if self.policy is None else self.policy(index, x, g, u)
        y = mlp.down_proj(product)
        return y if self.prediction is None else y + with_one(x) @ self.prediction[index]

    def windows(self, corpus: str, count: int) -> Tensor:
        ids: list[int] = []
        for line in (CORPORA / corpus).read_text().splitlines():
            ids += self.tokenizer.encode(json.loads(line)["text"]) + [self.tokenizer.eos_token_id]
        return torch.tensor(ids[: count * LENGTH]).view(count, LENGTH)

    def divergence(self, window: Tensor, policy: Drop | None) -> Tensor:
        """Σ KL(dense ‖ with the policy) over a window's positions."""
        kept = self.prediction, self.input_cut
        self.policy, self.prediction, self.input_cut = None, None, None
        with torch.no_grad():
            dense = functional.log_softmax(self.llama(window[None]).logits, -1)
        self.policy, (self.prediction, self.input_cut) = policy, kept
        sparse = functional.log_softmax(self.llama(window[None]).logits, -1)
        self.policy = None
        return (dense.exp() * (dense - sparse)).sum()


def with_one(x: Tensor) -> Tensor:
    return torch.cat([x, torch.ones_like(x[..., :1])], -1)


class Calibration:
    """Scores and inputs of some dense text, a layer at a time."""

    def __init__(self, model: Model, windows: Tensor) -> None:
        self.x: list[list[Tensor]] = [[] for _ in model.layers]
        squares = [torch.zeros(model.llama.config.intermediate_size) for _ in model.layers]
        self.g: list[list[Tensor]] = [[] for _ in model.layers]
        self.u: list[list[Tensor]] = [[] for _ in model.layers]

        def record(layer: int, x: Tensor, g: Tensor, u: Tensor) -> Tensor:
            self.x[layer].append(x[0])
            self.g[layer].append(g[0])
            self.u[layer].append(u[0])
            squares[layer] += u[0].square().sum(0)
            return g * u

        model.policy = record
        with torch.no_grad():
            for window in windows:
                model.llama.model(window[None])
        model.policy = None
        self.rms = [(total / windows.numel()).sqrt() for total in squares]

    def scores(self, layer: int, is_oracle: bool) -> Tensor:
        g = torch.cat(self.g[layer])
        return (g * torch.cat(self.u[layer])).abs() if is_oracle else g.abs() * self.rms[layer]

    def sorted_scores(self, is_oracle: bool) -> list[Tensor]:
        """Every 16th score of each layer, ascending."""
        return [self.scores(layer, is_oracle).flatten()[::16].sort().values for layer in range(len(self.g))]


def quantile(ascending: Tensor, share: float) -> float:
    return ascending[min(int(share * len(ascending)), len(ascending) - 1)].item()


def one_price(ascending: list[Tensor], sensitivity: list[float], share: float) -> list[float]:
    """Thresholds τ with sensitivity · τ² the same in all layers, which drop the share on average."""
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        thresholds = [torch.tensor(middle).exp().div(s).sqrt().item() for s in sensitivity]
        dropped = sum(torch.searchsorted(a, t).item() / len(a) for a, t in zip(ascending, thresholds))
        low, high = (low, middle) if dropped >= share * len(ascending) else (middle, high)
    return thresholds


def dropping(thresholds: list[float], rms: list[Tensor] | None) -> Drop:
    """Drops channels by |g|·rms, or by |g·u| where there is no rms."""

    def policy(layer: int, x: Tensor, g: Tensor, u: Tensor) -> Tensor:
        product = g * u
        score = product.abs() if rms is None else g.abs() * rms[layer]
        return product * (score >= thresholds[layer])

    return policy


def sensitivities(model: Model, windows: Tensor, thresholds: list[float], rms: list[Tensor]) -> list[float]:
    """What a unit of dropped energy costs in nats, by layer: of products whose score is near the threshold,
    Σ −∂KL/∂product · product over Σ product². At the threshold half of them are dropped, so that second order cancels.
    """
    costs, energies = [0.0] * len(thresholds), [0.0] * len(thresholds)
    for window in windows:
        seen: list[tuple[int, Tensor, Tensor, Tensor]] = []

        def policy(layer: int, x: Tensor, g: Tensor, u: Tensor) -> Tensor:
            product, score = g * u, g.abs() * rms[layer]
            masked = (product * (score >= thresholds[layer])).detach().requires_grad_() if not seen else (
                product * (score >= thresholds[layer]))
            masked.retain_grad()
            seen.append((layer, masked, product.detach(), (score / thresholds[layer]).log().abs().detach() < 0.35))
            return masked

        model.divergence(window, policy).backward()
        for layer, masked, product, near in seen:
            costs[layer] -= (masked.grad * product * near).sum().item()
            energies[layer] += (product.square() * near).sum().item()
    return [max(cost, 1e-12) / energy for cost, energy in zip(costs, energies)]


def predictions(model: Model, calibration: Calibration, policy: Drop, ridge: float = 1e-2) -> list[Tensor]:
    """Ridge regression of what the policy drops from the FFN's input, [hidden + 1, hidden] a layer."""
    fitted = []
    for index, layer in enumerate(model.layers):
        x, g, u = (torch.cat(part[index]) for part in (calibration.x, calibration.g, calibration.u))
        dropped = layer.mlp.down_proj(g * u - policy(index, x, g, u))
        design = with_one(x)
        gram = design.T @ design
        gram += ridge * gram.diagonal().mean() * torch.eye(len(gram))
        fitted.append(torch.linalg.solve(gram, design.T @ dropped))
    return fitted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--windows", type=int, default=12)
    arguments = parser.parse_args()
    model = Model(arguments.model)
    test = model.windows("wikitext2-test.jsonl", arguments.windows)
    valid = model.windows("wikitext2-valid.jsonl", 16)
    calibration = Calibration(model, valid[:12])
    chess, oracle = calibration.sorted_scores(False), calibration.sorted_scores(True)
    inputs = [torch.cat(x).abs().flatten().sort().values for x in calibration.x]

    def kl(policy: Drop | None) -> str:
        with torch.no_grad():
            return f"{sum(model.divergence(window, policy).item() for window in test) / test.numel():.4f}"

    rows: dict[str, list[str]] = {}
    for share in SHARES:
        uniform = [quantile(layer, share) for layer in chess]
        weights = sensitivities(model, valid[12:], uniform, calibration.rms)
        by_chess = dropping(uniform, calibration.rms)
        measured = {
            "chess": by_chess,
            "chess, best budget": dropping(one_price(chess, weights, share), calibration.rms),
            "oracle": dropping([quantile(layer, share) for layer in oracle], None),
            "oracle, best budget": dropping(one_price(oracle, weights, share), None),
        }
        for name, policy in measured.items():
            rows.setdefault(name, []).append(kl(policy))
        model.prediction = predictions(model, calibration, by_chess)
        rows.setdefault("chess, predicted", []).append(kl(by_chess))
        model.prediction = None
        # As a share of the bytes of gate, up and down together, inputs of the gate alone save half of what these do.
        model.input_cut = [quantile(layer, share) for layer in inputs]
        rows.setdefault("inputs of the gate, nothing else", []).append(kl(None))
        model.input_cut = None

    print(f"KL a token, {arguments.windows} × {LENGTH} tokens of WikiText-2's test text:\n")
    print("| | " + " | ".join(f"{share:.0%}" for share in SHARES) + " |\n|---|" + "---:|" * len(SHARES))
    for name, values in rows.items():
        print(f"| {name} | " + " | ".join(values) + " |")


if __name__ == "__main__":
    main()
