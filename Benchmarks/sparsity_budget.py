"""Where a budget of dropped values goes: the same share in every layer, or one price over all of them."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

LEAST, OCTAVES, BINS_AN_OCTAVE = -24, 40, 32
BINS = OCTAVES * BINS_AN_OCTAVE


@dataclass
class Curve:
    """Of one layer: how many values have a score, and the energy Σ(g u)² that goes with them, by bins of log₂ score."""

    counts: Tensor = field(default_factory=lambda: torch.zeros(BINS, dtype=torch.float64))
    energies: Tensor = field(default_factory=lambda: torch.zeros(BINS, dtype=torch.float64))

    def add(self, score: Tensor, product: Tensor) -> None:
        position = (score.abs().log2() - LEAST) * BINS_AN_OCTAVE
        index = position.clamp(0, BINS - 1).to(torch.int64).flatten()
        self.counts += torch.bincount(index, minlength=BINS)
        self.energies += torch.bincount(index, product.square().flatten(), minlength=BINS)

    def dropped(self) -> tuple[Tensor, Tensor]:
        """The share dropped, and the energy a counted value, where everything below each of the bins' edges is."""
        total = self.counts.sum()
        return tuple(torch.cat([torch.zeros(1, dtype=torch.float64), part.cumsum(0) / total])
                     for part in (self.counts, self.energies))

    def quantile(self, share: float) -> Tensor:
        """The score below which that share lies; [1]."""
        shares, _ = self.dropped()
        upper = int(torch.searchsorted(shares, share).clamp(1, BINS))
        inside = (share - shares[upper - 1]) / (shares[upper] - shares[upper - 1])
        return threshold(upper - 1 + inside)

    def energy_below(self, share: float) -> float:
        shares, energies = self.dropped()
        return energies[int(torch.searchsorted(shares, share))].item()


def threshold(edge: Tensor | int) -> Tensor:
    return torch.exp2(torch.as_tensor([float(edge)]) / BINS_AN_OCTAVE + LEAST)


def one_price(curves: list[Curve], sensitivity: list[float], share: float) -> list[Tensor]:
    """A threshold a layer such that the mean share is met and Σ sensitivity × energy dropped is least.

    At a price λ each layer takes the edge with the least `sensitivity × energy − λ × share`: the lower convex hulls.
    """
    layers = [(weight, *curve.dropped()) for weight, curve in zip(sensitivity, curves)]

    def edges(price: float) -> list[int]:
        return [int(torch.argmin(weight * energies - price * shares)) for weight, shares, energies in layers]

    def mean_share(price: float) -> float:
        return sum(shares[edge].item() for edge, (_, shares, _) in zip(edges(price), layers)) / len(layers)

    low, high = -60.0, 60.0  # log₂ λ
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if mean_share(2**middle) < share else (low, middle)
    return [threshold(edge) for edge in edges(2**high)]
