"""What the oracles of the real model share: the model, its tokenizer and its windows of text."""

import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer

REPOSITORY = Path(__file__).resolve().parents[2]
CORPORA = REPOSITORY / "pipelines" / "corpora"


def model_path() -> Path:
    """The GGUF file that the command line names, as `scripts/fetch-model` prints it."""
    if len(sys.argv) < 2:
        sys.exit(f'usage: {Path(sys.argv[0]).name} MODEL.gguf   (for instance "$(scripts/fetch-model)")')
    return Path(sys.argv[1]).resolve()


def load_tokenizer(gguf: Path) -> Tokenizer:
    """SmolLM's pre-tokenizer cuts out each digit first, which transformers' GGUF reader leaves out: two line
    breaks before a digit would become two tokens instead of the one that the model was trained on."""
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).backend_tokenizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    return tokenizer


def load_model(gguf: Path) -> torch.nn.Module:
    """The file's weights, dequantised to float32, with plain attention."""
    return AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float32, attn_implementation="eager").eval()


def windows(corpus: str, tokenizer: Tokenizer, end_of_text: int, length: int, count: int) -> torch.Tensor:
    """[count, length]: documents in file order, each followed by the end-of-text token, joined and cut."""
    ids: list[int] = []
    for line in (CORPORA / corpus).read_text(encoding="utf-8").splitlines():
        ids += tokenizer.encode(json.loads(line)["text"], add_special_tokens=False).ids + [end_of_text]
        if len(ids) >= length * count:
            return torch.tensor(ids[: length * count]).view(count, length)
    raise SystemExit(f"{corpus} has only {len(ids)} tokens, {length * count} are needed")
