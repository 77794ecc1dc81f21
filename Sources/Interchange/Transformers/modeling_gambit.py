"""A language model whose activations are dropped by thresholds, as Gambit solved them.

    model = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True)
    model.config.sparse = False  # the dense model, at any time, and back

Thresholds act on every position of a forward pass. What is dropped is computed all the same: this is how the bundle
answers, not how fast it is. For transformers 4.51 and later; weights must not be split by tensor parallelism, and
kernels that replace a whole MLP would leave its thresholds out.
"""

from functools import partial
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn
from transformers import (
    Gemma3ForCausalLM, LlamaForCausalLM, MistralForCausalLM, PreTrainedModel, Qwen2ForCausalLM, Qwen3ForCausalLM)
from transformers.utils import cached_file

THRESHOLDS = "thresholds.safetensors"
HUB_OPTIONS = ("cache_dir", "force_download", "local_files_only", "proxies", "revision", "subfolder", "token")


def is_sparse(config) -> bool:
    return getattr(config, "sparse", True)


class LayerThresholds(nn.Module):
    """What one layer drops: hooks on its projections, which read `config.sparse` each time."""

    def __init__(self, layer: nn.Module, tensors: dict[str, torch.Tensor], config):
        super().__init__()
        self.config = config
        by_up = tensors.pop("source", torch.zeros_like(tensors["threshold"])).bool()
        # A factor that does not decide keeps everything.
        tensors["gate_threshold"] = tensors["threshold"].masked_fill(by_up, 0)
        tensors["up_threshold"] = tensors.pop("threshold").masked_fill(~by_up, 0)
        tensors |= {"by_gate": ~by_up, "by_up": by_up}
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor, persistent=False)
        mlp, attention = layer.mlp, layer.self_attn
        if "input_threshold" in tensors:
            mlp.gate_proj.register_forward_hook(partial(self.decide, "by_gate"))
            mlp.up_proj.register_forward_hook(partial(self.decide, "by_up"))
        mlp.act_fn.register_forward_hook(partial(self.cut_output, "gate_threshold"))
        if by_up.any():
            mlp.up_proj.register_forward_hook(partial(self.cut_output, "up_threshold"))
        for module, name in [(mlp.down_proj, "product_threshold"), (attention.q_proj, "query_threshold"),
                             (attention.o_proj, "output_threshold")]:
            if name in tensors:
                module.register_forward_pre_hook(partial(self.cut_input, name))
        if "bias" in tensors:  # in Gemma 3 behind the FFN's norm
            getattr(layer, "post_feedforward_layernorm", mlp).register_forward_hook(self.add_bias)

    def cut(self, x: torch.Tensor, name: str) -> torch.Tensor:
        """Zeros in place of what is below its threshold."""
        return x.masked_fill(~(x.abs().float() >= self.get_buffer(name).to(x.device)), 0)

    def cut_input(self, name: str, module: nn.Module, inputs: tuple):
        return (self.cut(inputs[0], name), *inputs[1:]) if is_sparse(self.config) else None

    def cut_output(self, name: str, module: nn.Module, inputs: tuple, output: torch.Tensor):
        return self.cut(output, name) if is_sparse(self.config) else None

    def decide(self, name: str, module: nn.Module, inputs: tuple, output: torch.Tensor):
        """Computes the channels that this factor decides without the inputs that are dropped."""
        if not is_sparse(self.config):
            return None
        decided = module.forward(self.cut(inputs[0], "input_threshold"))
        return torch.where(self.get_buffer(name).to(output.device), decided, output)

    def add_bias(self, module: nn.Module, inputs: tuple, output: torch.Tensor):
        return output + self.bias.to(output.device, output.dtype) if is_sparse(self.config) else None

    def _apply(self, *arguments, **options):
        """Goes where the model goes, and stays float32 where that is rounded."""
        exact = dict(self._buffers)
        super()._apply(*arguments, **options)
        self._buffers.update({name: tensor.to(self._buffers[name].device) for name, tensor in exact.items()})
        return self


def split_by_layer(encoded: bytes, config, path: str) -> list[dict[str, torch.Tensor]]:
    """The tensors of each layer by the last part of their names, where they fit the model."""
    inner, width = config.intermediate_size, config.hidden_size
    head = getattr(config, "head_dim", None) or width // config.num_attention_heads
    shapes = {
        "ffn.threshold": {inner}, "ffn.source": {inner}, "ffn.product_threshold": {1, inner}, "ffn.bias": {width},
        "ffn.input_threshold": {1, width}, "attention.query_threshold": {1, width},
        "attention.output_threshold": {1, config.num_attention_heads * head}}

    def fits(kind: str, tensor: torch.Tensor) -> bool:
        if kind not in shapes or tensor.ndim != 1 or len(tensor) not in shapes[kind]:
            return False
        if kind == "ffn.source":
            return tensor.dtype == torch.uint8 and bool((tensor <= 1).all())
        valid = tensor.isfinite() if kind == "ffn.bias" else tensor >= 0
        return tensor.dtype == torch.float32 and bool(valid.all())

    try:
        tensors = safetensors.torch.load(encoded)
    except SafetensorError as error:
        raise ValueError(f"{path} is not a safetensors file: {error}.") from error
    layers = range(config.num_hidden_layers)
    kinds = {name.split(".", 2)[-1] for name in tensors} | {"ffn.threshold"}
    expected = {f"layers.{layer}.{kind}": kind for layer in layers for kind in kinds}
    for name in sorted(expected.keys() | tensors.keys()):
        if name not in tensors or name not in expected or not fits(expected[name], tensors[name]):
            raise ValueError(f"{path} is not of this model: tensor {name} is missing, unknown or of other values.")
    return [{kind.split(".")[-1]: tensors[f"layers.{layer}.{kind}"] for kind in kinds} for layer in layers]


def require_thresholds(model: PreTrainedModel, inputs: tuple) -> None:
    if is_sparse(model.config) and model.thresholds is None:
        raise RuntimeError("The model has no thresholds: load it by from_pretrained, or set config.sparse to False.")


class Thresholded:
    """What the classes below have in common."""

    _auto_class = "AutoModelForCausalLM"  # so that save_pretrained writes this file, too
    thresholds: bytes | None = None  # the file

    def __init__(self, config, *arguments, **options):
        super().__init__(config, *arguments, **options)
        self.register_forward_pre_hook(require_thresholds)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, *arguments, **options):
        hub = {name: options[name] for name in HUB_OPTIONS if options.get(name) is not None}
        path = cached_file(
            pretrained_model_name_or_path, THRESHOLDS, _raise_exceptions_for_missing_entries=False, **hub)
        if path is None:
            raise OSError(f"{pretrained_model_name_or_path} has no {THRESHOLDS}, without which it is no sparse model.")
        loaded = super().from_pretrained(pretrained_model_name_or_path, *arguments, **options)
        # Only now: what loading makes of buffers that no checkpoint has differs between versions.
        (loaded[0] if isinstance(loaded, tuple) else loaded).use_thresholds(Path(path).read_bytes(), path)
        return loaded

    def use_thresholds(self, encoded: bytes, path: str) -> None:
        for layer, tensors in zip(self.model.layers, split_by_layer(encoded, self.config, path), strict=True):
            device = layer.mlp.down_proj.weight.device  # "meta" where it was offloaded
            layer.thresholds = LayerThresholds(layer, tensors, self.config)
            layer.thresholds.to("cpu" if device.type == "meta" else device)
        self.thresholds = encoded
        divisors = getattr(self.config, "gambit_rope_frequency_divisors", None)
        for name, frequencies in self.model.rotary_emb.named_buffers() if divisors else ():
            if not name.startswith("sliding"):
                frequencies /= torch.tensor(divisors, device=frequencies.device)

    def save_pretrained(self, save_directory, *arguments, **options):
        if self.thresholds is not None:
            Path(save_directory).mkdir(parents=True, exist_ok=True)
            (Path(save_directory) / THRESHOLDS).write_bytes(self.thresholds)
        super().save_pretrained(save_directory, *arguments, **options)

    def _get_files_timestamps(self, working_dir):
        """Without the thresholds, or push_to_hub would take them for a file that was there before."""
        times = super()._get_files_timestamps(working_dir)
        return {name: time for name, time in times.items() if name != THRESHOLDS}


class GambitLlamaForCausalLM(Thresholded, LlamaForCausalLM): ...


class GambitMistralForCausalLM(Thresholded, MistralForCausalLM): ...


class GambitQwen2ForCausalLM(Thresholded, Qwen2ForCausalLM): ...


class GambitQwen3ForCausalLM(Thresholded, Qwen3ForCausalLM): ...


class GambitGemma3ForCausalLM(Thresholded, Gemma3ForCausalLM): ...
