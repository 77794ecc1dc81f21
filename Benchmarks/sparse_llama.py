"""A Llama in PyTorch that leaves out what a `Cut` says, for measurements of what Gambit itself cannot do.

Float32, one window of tokens at a time, every position sparse. Weights keep the GGUF's order, in which rotary pairs lie
beside each other. Shapes: `T` tokens, hidden size `d`, FFN size `f`.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
from gguf import GGUFReader
from gguf.quants import dequantize
from torch import Tensor
from torch.nn.functional import linear, scaled_dot_product_attention, silu

MATRICES = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
VECTORS = ("attn_norm", "ffn_norm")


@dataclass(frozen=True)
class Cut:
    """What one layer leaves out. Thresholds have one value or one a channel; None cuts nothing.

    `inexact` false: the inputs below their threshold count as not read, and yet nothing is lost by it.
    """

    rows: Tensor | None = None  # on the factor that decides, or on the product
    product_decides: bool = False  # an oracle: |g u| is known before anything is read
    up_decides: Tensor | None = None  # bool [f]
    columns: Tensor | None = None  # on |g u|, once both factors are known
    inputs: Tensor | None = None  # on the FFN's input, where deciding factors are computed
    inexact: bool = True
    query: Tensor | None = None
    output: Tensor | None = None
    repair: Tensor | None = None  # [d + 1, d]: added to the output, from the FFN's input and a one


DENSE = Cut()


class Tally:
    """Counts what was dropped of each place of cutting, over windows and layers."""

    def __init__(self) -> None:
        self.dropped, self.seen = Counter(), Counter()

    def add(self, place: str, kept: Tensor) -> None:
        self.dropped[place] += kept.numel() - int(kept.sum())
        self.seen[place] += kept.numel()

    def shares(self) -> dict[str, float]:
        return {place: self.dropped[place] / self.seen[place] for place in self.seen}


class SparseLlama:
    def __init__(self, path: Path) -> None:
        reader = GGUFReader(path)

        def number(key: str) -> float:
            return reader.get_field(f"llama.{key}").contents()

        tensors = {tensor.name: torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).copy())
                   for tensor in reader.tensors}
        self.heads, self.key_heads = number("attention.head_count"), number("attention.head_count_kv")
        self.epsilon, self.base = number("attention.layer_norm_rms_epsilon"), number("rope.freq_base")
        self.embedding, self.norm = tensors["token_embd.weight"], tensors["output_norm.weight"]
        self.head = tensors.get("output.weight", self.embedding)
        self.layers = [{name: tensors[f"blk.{layer}.{name}.weight"] for name in MATRICES + VECTORS}
                       for layer in range(number("block_count"))]

    def embed(self, ids: Tensor) -> Tensor:  # [T] → [T, d]
        return self.embedding[ids]

    def logits(self, x: Tensor) -> Tensor:  # [T, vocabulary]
        return linear(self._normed(x, self.norm), self.head)

    def run(self, x: Tensor, cuts: list[Cut], tally: Tally | None = None, start: int = 0) -> Tensor:
        """The residual stream behind the last layer, from the one in front of layer `start`."""
        for layer in range(start, len(self.layers)):
            x = self.layer(layer, x, cuts[layer], tally)
        return x

    def layer(self, layer: int, x: Tensor, cut: Cut, tally: Tally | None = None) -> Tensor:
        x = self.attention(layer, x, cut, tally)
        return x + self.ffn(layer, self.ffn_input(layer, x), cut, tally)

    def attention(self, layer: int, x: Tensor, cut: Cut, tally: Tally | None = None) -> Tensor:
        weights = self.layers[layer]
        h = self._normed(x, weights["attn_norm"])
        query = linear(kept(h, cut.query, "query", tally), weights["attn_q"])
        query, key, value = (self._by_head(part) for part in (
            query, linear(h, weights["attn_k"]), linear(h, weights["attn_v"])))
        mixed = scaled_dot_product_attention(
            self._rotated(query), self._rotated(key).repeat_interleave(self.heads // self.key_heads, 0),
            value.repeat_interleave(self.heads // self.key_heads, 0), is_causal=True)
        mixed = mixed.transpose(0, 1).flatten(1)
        return x + linear(kept(mixed, cut.output, "output", tally), weights["attn_output"])

    def ffn_input(self, layer: int, x: Tensor) -> Tensor:
        return self._normed(x, self.layers[layer]["ffn_norm"])

    def factors(self, layer: int, h: Tensor, cut: Cut, tally: Tally | None = None) -> tuple[Tensor, Tensor]:
        """act(gate) and up [T, f], of which the one that decides is computed from the inputs that the cut keeps."""
        gate, up = self.layers[layer]["ffn_gate"], self.layers[layer]["ffn_up"]
        x = kept(h, cut.inputs, "inputs", tally)
        if cut.inputs is None or not cut.inexact:
            return silu(linear(h, gate)), linear(h, up)
        if cut.up_decides is None:
            return silu(linear(x, gate)), linear(h, up)
        up_decides = cut.up_decides[:, None]
        deciding = linear(x, torch.where(up_decides, up, gate))
        other = linear(h, torch.where(up_decides, gate, up))
        return (silu(torch.where(cut.up_decides, other, deciding)), torch.where(cut.up_decides, deciding, other))

    def ffn(self, layer: int, h: Tensor, cut: Cut, tally: Tally | None = None) -> Tensor:
        y = self.combined(layer, *self.factors(layer, h, cut, tally), cut, tally)
        return y if cut.repair is None else y + with_one(h) @ cut.repair

    def combined(self, layer: int, gate: Tensor, up: Tensor, cut: Cut, tally: Tally | None = None) -> Tensor:
        """The FFN's output from both factors, without a repair."""
        product = gate * up
        if cut.rows is not None:
            deciding = gate if cut.up_decides is None else torch.where(cut.up_decides, up, gate)
            keeps = (product if cut.product_decides else deciding).abs() >= cut.rows
            product = product * keeps
            if tally is not None:
                tally.add("rows", keeps)
            if cut.columns is not None:
                keeps = keeps & (product.abs() >= cut.columns)
                product = product * keeps
            if tally is not None:
                tally.add("columns", keeps)
        return linear(product, self.layers[layer]["ffn_down"])

    def _normed(self, x: Tensor, weight: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.epsilon) * weight

    def _by_head(self, x: Tensor) -> Tensor:  # [T, heads × width] → [heads, T, width]
        return x.unflatten(1, (-1, self.embedding.shape[1] // self.heads)).transpose(0, 1)

    def _rotated(self, x: Tensor) -> Tensor:
        tokens, width = x.shape[1:]
        angles = torch.outer(torch.arange(tokens), self.base ** -(torch.arange(0, width, 2) / width))
        even, odd = x[..., 0::2], x[..., 1::2]
        return torch.stack([even * angles.cos() - odd * angles.sin(), even * angles.sin() + odd * angles.cos()],
                           -1).flatten(-2)


def kept(x: Tensor, threshold: Tensor | None, place: str, tally: Tally | None) -> Tensor:
    """`x` where its magnitude reaches the threshold, 0 elsewhere."""
    if threshold is None:
        return x
    keeps = x.abs() >= threshold
    if tally is not None:
        tally.add(place, keeps)
    return x * keeps


def with_one(x: Tensor) -> Tensor:
    return torch.cat([x, torch.ones(len(x), 1)], 1)
