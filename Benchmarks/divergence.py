"""How far a cut model's predictions are from the dense model's."""

import math
import statistics

import torch
from torch import Tensor

from sparse_llama import SparseLlama


def log_probabilities(model: SparseLlama, x: Tensor) -> Tensor:
    """[T − 1, vocabulary] of a window's predictions, from the residual stream behind the last layer.

    What follows a window's last token is not known, and not counted.
    """
    return torch.log_softmax(model.logits(x[:-1]), -1)


def divergence(dense: Tensor, sparse: Tensor) -> float:
    """KL(dense‖sparse) a token in nats, both as log-probabilities."""
    return (dense.exp() * (dense - sparse)).sum(-1).mean().item()


def mean_and_error(by_window: list[float]) -> tuple[float, float]:
    """Over windows of equal length, with the standard error between them; NaN for a single window."""
    error = statistics.stdev(by_window) / math.sqrt(len(by_window)) if len(by_window) > 1 else math.nan
    return statistics.mean(by_window), error
