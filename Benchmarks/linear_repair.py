"""What the FFN's input tells, linearly, of what a cut left out: full rank, ridge, fitted on calibration text."""

from collections.abc import Hashable
from dataclasses import replace

import torch
from torch import Tensor

from sparse_llama import DENSE, Cut, SparseLlama, with_one

RIDGES = (1e-4, 1e-3, 1e-2, 1e-1)  # of the inputs' mean square
HELD_OUT = 4  # Every fourth window chooses the ridge.


class Regression:
    """Normal equations of target ≈ [h, 1] A for some targets at once, those of the held-out windows apart."""

    def __init__(self, width: int, targets: int) -> None:
        self.squares = torch.zeros(2, width + 1, width + 1, dtype=torch.float64)
        self.products = torch.zeros(2, width + 1, targets * width, dtype=torch.float64)
        self.targets = targets

    def add(self, window: int, h: Tensor, targets: list[Tensor]) -> None:  # each [T, d]
        part, x = int(window % HELD_OUT == HELD_OUT - 1), with_one(h)
        self.squares[part] += x.T @ x
        self.products[part] += x.T @ torch.cat(targets, 1)

    def solutions(self) -> list[Tensor]:
        """Of each target [d + 1, d], fitted to all windows under the ridge that does best on the held-out ones."""
        errors = torch.stack([self._held_out_errors(self._fitted(0, ridge)) for ridge in RIDGES])
        self.squares[0] += self.squares[1]
        self.products[0] += self.products[1]
        fitted = [self._fitted(0, ridge).chunk(self.targets, 1) for ridge in RIDGES]
        return [fitted[best][target].float() for target, best in enumerate(errors.argmin(0).tolist())]

    def _fitted(self, part: int, ridge: float) -> Tensor:
        squares = self.squares[part]
        penalty = ridge * squares.diagonal().mean() * torch.eye(len(squares), dtype=torch.float64)
        return torch.linalg.solve(squares + penalty, self.products[part])

    def _held_out_errors(self, matrix: Tensor) -> Tensor:
        """[targets], Σ(target − [h, 1] A)² less Σ target²."""
        terms = matrix * (self.squares[1] @ matrix - 2 * self.products[1])
        return torch.stack([part.sum() for part in terms.chunk(self.targets, 1)])


def repairs(model: SparseLlama, windows: list[Tensor],
            methods: dict[Hashable, list[Cut]]) -> dict[Hashable, list[Cut]]:
    """The methods' cuts with a prediction of what each drops where the layers in front of it are dense."""
    streams = [model.embed(ids) for ids in windows]
    result = {name: [] for name in methods}
    for layer in range(len(model.layers)):
        regression = Regression(model.embedding.shape[1], len(methods))
        cuts = [method[layer] for method in methods.values()]
        for index, x in enumerate(streams):
            x = model.attention(layer, x, DENSE)
            h = model.ffn_input(layer, x)
            factors = model.factors(layer, h, DENSE)
            dense = model.combined(layer, *factors, DENSE)
            regression.add(index, h, [dense - model.combined(
                layer, *(factors if cut.inputs is None else model.factors(layer, h, cut)), cut) for cut in cuts])
            streams[index] = x + dense
        for name, cut, matrix in zip(methods, cuts, regression.solutions()):
            result[name].append(replace(cut, repair=matrix))
    return result
