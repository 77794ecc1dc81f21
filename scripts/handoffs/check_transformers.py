#!/usr/bin/env python3
"""transformers runs what `gambit handoff --to transformers` writes: the bundle, dense and sparse.

    .venv-oracles/bin/python scripts/handoffs/check_transformers.py BUNDLE [PROGRAM] [--folder DIR] [--tasks DIR]
    … BUNDLE [PROGRAM] --families

With --families also, of tiny models of each family with thresholds of every kind, golden logits and decisions. Prints a line a check with what it measured; exits with 1 where one fails. Outside `make test`, as it needs PyTorch.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

REPOSITORY = Path(__file__).resolve().parents[2]
TIE = 0.001  # of the threshold: decisions that near to it may go either way
ROUNDING = 1e-3  # nats: log-likelihoods that near to each other may change places
# Nats of a sparse answer: a tie that rounding decides either way changes all that follows, and two implementations of the
# same bundle, or two kinds of attention in PyTorch, agree on some 46 of 50 sparse answers.
CASCADE = 1.0
QUESTIONS = 50
TOKENS = 32
PROMPTS = [
    "The capital of France is", "Once upon a time there was a lighthouse", "def fibonacci(n):",
    "Water boils at a lower temperature on mountains because", "Dear Sir or Madam,",
]

sys.path.insert(0, str(REPOSITORY / "scripts" / "oracles"))
sys.path.insert(0, str(REPOSITORY / "scripts" / "checks"))
from multiple_choice import choices, log_likelihoods, predictions, questions  # noqa: E402


@dataclass
class Decisions:
    """What the model's thresholds decide in one forward pass beside what was recorded, and may be made to follow."""

    golden: dict[str, torch.Tensor]
    text: int
    follow: bool
    different: int = 0
    ties: int = 0
    places: dict[tuple[int, str], int] = field(default_factory=dict)  # layer and threshold → decisions
    where: list[str] = field(default_factory=list)

    def recorded(self, layer: int, kind: str, width: int) -> torch.Tensor:
        bits = self.golden[f"texts.{self.text}.kept_{kind}"][:, layer].numpy()
        return torch.from_numpy(np.unpackbits(bits, axis=-1, count=width, bitorder="little").astype(bool))[None]

    def watch(self, model: torch.nn.Module) -> None:
        for index, layer in enumerate(model.model.layers):
            layer.thresholds.cut = self.cut(index, layer.thresholds)

    @staticmethod
    def forget(model: torch.nn.Module) -> None:
        for layer in model.model.layers:
            del layer.thresholds.cut

    def cut(self, layer: int, thresholds: torch.nn.Module):
        kinds = {"gate_threshold": "ffn", "up_threshold": "ffn", "product_threshold": "down"}

        def decide(x: torch.Tensor, name: str) -> torch.Tensor:
            result = type(thresholds).cut(thresholds, x, name)
            recorded = self.recorded(layer, kinds.get(name) or name.removesuffix("_threshold"), x.shape[-1])
            # Of a factor that does not decide, nothing is recorded.
            side = getattr(thresholds, {"gate_threshold": "by_gate", "up_threshold": "by_up"}.get(name, ""), None)
            recorded = recorded if side is None else recorded | ~side
            if (layer, name) not in self.places:  # inputs are cut once for each factor
                limit = thresholds.get_buffer(name)
                differs = (result != 0) != (recorded & (x != 0))
                near = (x.abs() - limit).abs() <= TIE * limit
                self.different += int(differs.sum())
                self.ties += int((differs & near).sum())
                self.places[layer, name] = differs.numel() if side is None else len(differs[0]) * int(side.sum())
                for *_, token, channel in differs.nonzero().tolist():
                    threshold = limit.expand(x.shape[-1])[channel]
                    away = float(x[0, token, channel].abs() / threshold - 1)
                    self.where.append(f"layer {layer}, token {token}, {name}: magnitude {away:+.1e} off")
            return x * recorded if self.follow else result

        return decide


class Checks:
    """One run: the program, its bundle, the folder and the two models that transformers makes of it."""

    def __init__(self, program: Path, bundle: Path, folder: Path):
        self.program, self.bundle, self.folder = program, bundle, folder
        self.failed = 0
        self.sparse = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True)
        self.dense = AutoModelForCausalLM.from_pretrained(folder)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.golden = load_file(bundle / "golden.safetensors")
        self.tolerance = json.loads((bundle / "manifest.json").read_text())["golden"]["tolerance"]

    def say(self, good: bool, text: str) -> None:
        self.failed += not good
        print(f"{'passed' if good else 'FAILED'}  {text}", flush=True)

    def gambit(self, *arguments: object) -> dict:
        command = [self.program, *map(str, arguments), "--json", "--quiet"]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)

    def logits(self, model: torch.nn.Module, text: int) -> torch.Tensor:
        with torch.inference_mode():
            logits = model(self.golden[f"texts.{text}.tokens"].long()[None]).logits[0]
        return logits[self.golden[f"texts.{text}.positions"].long()]

    def difference(self, logits: torch.Tensor, text: int, kind: str) -> float:
        return float((logits - self.golden[f"texts.{text}.{kind}"]).abs().max())

    def logits_are_the_bundles(self) -> None:
        for text in range(sum(name.endswith(".tokens") for name in self.golden)):
            self.sparse.config.sparse = False
            dense = self.logits(self.sparse, text)
            self.sparse.config.sparse = True
            worst, same = self.difference(dense, text, "dense"), torch.equal(dense, self.logits(self.dense, text))
            # Rotary divisors are what untrusted code cannot know.
            expected = same or hasattr(self.dense.config, "gambit_rope_frequency_divisors")
            self.say(worst <= self.tolerance and expected, f"dense logits of text {text}: {worst:.1e} off, "
                     f"{'the same' if same else 'others'} without trusted code")

            following, free = (Decisions(self.golden, text, follow) for follow in (True, False))
            worst = {}
            for decisions in (following, free):
                decisions.watch(self.sparse)
                worst[decisions.follow] = self.difference(self.logits(self.sparse, text), text, "sparse")
                decisions.forget(self.sparse)
            # One decision that goes the other way changes later ones, and nothing bounds how far.
            good = worst[False] <= self.tolerance or following.different > 0
            self.say(
                worst[True] <= self.tolerance and following.different == following.ties and good,
                f"sparse logits of text {text}: {worst[True]:.1e} off under recorded masks; "
                f"of {sum(following.places.values())} decisions {following.different} are others, "
                f"{following.ties} of them within 0.1% of the threshold; "
                f"by its own decisions {worst[False]:.1e} off, {free.different} of them others")
            for line in following.where[:5]:
                print(f"        {line}")

    def answers_are_gambits(self, tasks: Path) -> None:
        """Thresholds on every position on both sides; of the dense model, the program reads the folder's weights."""
        start = self.dense.config.bos_token_id
        start = self.dense.config.eos_token_id if start is None else start
        answered: dict[str, list[tuple[int, int]]] = {}  # by the dense model
        for sparse, source in ((False, ("--model", self.folder)), (True, ("--bundle", self.bundle))):
            self.sparse.config.sparse = sparse
            for task in self.gambit("evaluate", "tasks", *source, "--tasks", tasks, "--limit", QUESTIONS)["tasks"]:
                same, near, dense, farthest, others = 0, 0, 0, 0.0, []
                for index, question in enumerate(questions(tasks / f"{task['task']}.jsonl", QUESTIONS)):
                    ours = task["predictions"][index], task["predictions_norm"][index]
                    scores = log_likelihoods(self.sparse, self.tokenizer.backend_tokenizer, question, start)
                    theirs = predictions(question, scores)
                    same += ours == theirs
                    if sparse:
                        dense += ours == answered[task["task"]][index]
                    else:
                        answered.setdefault(task["task"], []).append(theirs)
                    gap = distance(question, scores, ours, theirs)
                    near += 0 < gap <= ROUNDING
                    farthest = max(farthest, gap)
                    if gap > ROUNDING:
                        others.append(f"question {index}: {ours}, transformers {theirs}, {gap:.1e} nats apart")
                good = same + near >= dense and farthest <= CASCADE if sparse else not others
                control = f", {dense} those of the dense model" if sparse else ""
                kind = "sparse" if sparse else "dense"
                self.say(good, f"{kind} answers to {task['task']}: {same} of {task['n']} the same by both metrics"
                         f"{control}, {near} others as near as rounding")
                for line in others:
                    print(f"        {line}")
        self.sparse.config.sparse = True

    def texts_are_gambits(self) -> None:
        """Dense, with a key-value cache on both sides."""
        self.sparse.config.sparse = False
        others = []
        for prompt in PROMPTS:
            ours = self.gambit(
                "generate", "--bundle", self.bundle, "--prompt", prompt, "--dense", "--max-tokens", TOKENS)["ids"]
            prompted = self.tokenizer(prompt, return_tensors="pt").input_ids
            written = self.sparse.generate(
                prompted, attention_mask=torch.ones_like(prompted), do_sample=False, max_new_tokens=TOKENS)
            theirs = written[0, prompted.shape[1]:].tolist()[: len(ours)]
            if ours != theirs:
                others.append(f"{prompt!r}\n          ours   {ours}\n          theirs {theirs}")
        self.sparse.config.sparse = True
        same = len(PROMPTS) - len(others)
        self.say(not others, f"dense greedy texts of {TOKENS} tokens: {same} of {len(PROMPTS)} the same")
        for line in others:
            print(f"        {line}")

    def it_is_saved_again(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            self.sparse.save_pretrained(scratch)
            again = AutoModelForCausalLM.from_pretrained(scratch, trust_remote_code=True)
            folders = self.bundle, self.folder, Path(scratch)
            files = {(folder / "thresholds.safetensors").read_bytes() for folder in folders}
            same = torch.equal(self.logits(again, 0), self.logits(self.sparse, 0))
            plain = self.sparse.state_dict().keys() == self.dense.state_dict().keys()
            self.say(len(files) == 1 and same and plain, "thresholds are the bundle's bit for bit, also when saved "
                     "again, and not in the state dict; the saved model is the same")
            (Path(scratch) / "thresholds.safetensors").unlink()
            try:
                AutoModelForCausalLM.from_pretrained(scratch, trust_remote_code=True)
                self.say(False, "a folder without thresholds is loaded")
            except OSError as error:
                self.say("has no thresholds.safetensors" in str(error), f"without thresholds: {error}")


def families_are_theirs(program: Path, scratch: Path) -> int:
    """How many checks of the tiny bundles failed."""
    os.environ["GAMBIT_PROGRAM"] = str(program)
    import tiny_bundles  # reads the variable

    failed = 0
    for family in tiny_bundles.FAMILIES:
        for one_a_channel in (True, False):
            folder = scratch / f"{family}-{'each' if one_a_channel else 'all'}"
            bundle = tiny_bundles.export(family, folder, "f32", one_a_channel)
            subprocess.run([program, "handoff", bundle, "--to", "transformers", "--output", folder / "handoff", "--quiet"],
                           check=True, stdout=subprocess.DEVNULL)
            print(f"{folder.name}:")
            checks = Checks(program, bundle, folder / "handoff")
            checks.logits_are_the_bundles()
            failed += checks.failed
    return failed


def distance(question: dict, scores: list[float], ours: tuple[int, int], theirs: tuple[int, int]) -> float:
    """How far transformers' scores of our choices are below those of its own, in nats."""
    lengths = np.array([max(len(end.removeprefix(" ").encode()), 1) for _, end in choices(question)])
    each, a_byte = np.array(scores), np.array(scores) / lengths
    return float(max(each[theirs[0]] - each[ours[0]], (a_byte[theirs[1]] - a_byte[ours[1]]) * lengths[ours[1]]))


def last_words(folder: Path) -> Path:
    """Questions where no others are given: which of four passages' last words follows the 30 before it."""
    lines = (REPOSITORY / "pipelines" / "corpora" / "lambada-a.jsonl").read_text(encoding="utf-8").splitlines()
    passages = [json.loads(line)["text"].rsplit(" ", 1) for line in lines[:QUESTIONS]]
    words = [" " + last for _, last in passages]
    task = [{"contexts": [" ".join(context.split()[-30:])], "gold": 0,
             "continuations": [words[(index + other) % QUESTIONS] for other in range(4)]}
            for index, (context, _) in enumerate(passages)]
    (folder / "last_words.jsonl").write_text("".join(json.dumps(question) + "\n" for question in task))
    return folder


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("bundle", type=Path)
    parser.add_argument("program", type=Path, nargs="?", default=REPOSITORY / ".build" / "release" / "gambit")
    parser.add_argument("--folder", type=Path, help="one that `gambit handoff` wrote, in place of writing one")
    parser.add_argument("--tasks", type=Path, help="a folder of tasks, in place of questions made of the corpora")
    parser.add_argument("--families", action="store_true", help="tiny models of each family, too")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["GAMBIT_CACHE"] = f"{scratch}/cache"
        folder = arguments.folder or Path(scratch) / "model"
        if not arguments.folder:
            subprocess.run([arguments.program, "handoff", arguments.bundle, "--to", "transformers", "--output", folder,
                            "--quiet"], check=True, stdout=subprocess.DEVNULL)
        tasks = Path(scratch) / "tasks"
        tasks.mkdir()
        checks = Checks(arguments.program, arguments.bundle, folder)
        checks.logits_are_the_bundles()
        checks.answers_are_gambits(arguments.tasks or last_words(tasks))
        checks.texts_are_gambits()
        checks.it_is_saved_again()
        failed = checks.failed + (families_are_theirs(arguments.program, Path(scratch)) if arguments.families else 0)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
