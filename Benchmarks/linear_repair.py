"""What the FFN's input tells, linearly, of what a cut left out: full rank, ridge, fitted on calibration text."""

from collections.abc import Hashable
from dataclasses import replace

import torch
from torch import Tensor

from sparse_llama import DENSE, Cut, SparseLlama, with_one

RIDGES = (1e-4, 1e-3, 1e-2, 1e-1)  # of the inputs' mean square
Name = Hashable  # of a method
HELD_OUT = 4  # Every fourth window chooses the ridge.


class Regression:
    """Normal equations of target ≈ [h, 1] A, those of the windows that choose the ridge apart."""

    def __init__(self, width: int) -> None:
        self.squares = torch.zeros(2, width + 1, width + 1, dtype=torch.float64)
        self.products = torch.zeros(2, width + 1, width, dtype=torch.float64)

    def add(self, window: int, h: Tensor, target: Tensor) -> None:
        part, x = int(window % HELD_OUT == HELD_OUT - 1), with_one(h)
        self.squares[part] += x.T @ x
        self.products[part] += x.T @ target

    def solution(self) -> Tensor:
        """[d + 1, d], fitted to all windows under the ridge that does best on the held-out ones."""

        def fitted(squares: Tensor, products: Tensor, ridge: float) -> Tensor:
            penalty = ridge * squares.diagonal().mean() * torch.eye(len(squares), dtype=torch.float64)
            return torch.linalg.solve(squares + penalty, products)

        def error(matrix: Tensor) -> float:  # Σ(target − x A)² of the held-out windows, less Σ target²
            return (matrix * (self.squares[1] @ matrix - 2 * self.products[1])).sum().item()

        best = min(RIDGES, key=lambda ridge: error(fitted(self.squares[0], self.products[0], ridge)))
        return fitted(self.squares.sum(0), self.products.sum(0), best).float()


def repairs(model: SparseLlama, windows: list[Tensor], methods: dict[Name, list[Cut]]) -> dict[Name, list[Cut]]:
    """The methods' cuts with a prediction of what each drops where the layers in front of it are dense."""
    streams = [model.embed(ids) for ids in windows]
    result = {name: [] for name in methods}
    for layer in range(len(model.layers)):
        regressions = {name: Regression(model.embedding.shape[1]) for name in methods}
        for index, x in enumerate(streams):
            x = model.attention(layer, x, DENSE)
            h = model.ffn_input(layer, x)
            dense = model.ffn(layer, h, DENSE)
            for name, cuts in methods.items():
                regressions[name].add(index, h, dense - model.ffn(layer, h, cuts[layer]))
            streams[index] = x + dense
        for name, regression in regressions.items():
            result[name].append(replace(methods[name][layer], repair=regression.solution()))
    return result


def sequential_repairs(model: SparseLlama, windows: list[Tensor],
                       methods: dict[Name, list[Cut]]) -> dict[Name, list[Cut]]:
    """The same where the layers in front are cut and repaired already, toward the dense model's residual stream."""
    dense = [model.embed(ids) for ids in windows]
    streams = {name: list(dense) for name in methods}
    result = {name: [] for name in methods}
    for layer in range(len(model.layers)):
        dense = [model.layer(layer, x, DENSE) for x in dense]
        for name, cuts in methods.items():
            regression, inputs = Regression(model.embedding.shape[1]), []
            for index, x in enumerate(streams[name]):
                x = model.attention(layer, x, cuts[layer])
                inputs.append(model.ffn_input(layer, x))
                streams[name][index] = x + model.ffn(layer, inputs[index], cuts[layer])
                regression.add(index, inputs[index], dense[index] - streams[name][index])
            matrix = regression.solution()
            streams[name] = [x + with_one(h) @ matrix for x, h in zip(streams[name], inputs)]
            result[name].append(replace(cuts[layer], repair=matrix))
    return result
