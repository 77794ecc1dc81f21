"""handoff onnx: onnx's own checker, and what onnxruntime computes beside the bundle and the program."""

import itertools
import json
from pathlib import Path

import numpy as np
import onnx
from safetensors.numpy import load_file
from tokenizers import Tokenizer

import gambit
import tiny_bundles
from onnx_decoder import Decoder, with_decisions_given
from outcome import require
from run_directory import RunDirectory, Shapes
from tiny_bundles import FAMILIES

PROMPTS = ("The lighthouse keeper wrote that", "def fibonacci(n):")
TOKENS = 64


def hand_off(bundle: Path, folder: Path, *options: object) -> Path:
    """The graph; made once."""
    if not folder.exists():
        gambit.run("handoff", bundle, "--to", "onnx", *options, "--output", folder)
    return folder / "model.onnx"


def graph_is_valid(run: RunDirectory, scratch: Path) -> None:
    """handoff onnx: onnx's checker passes, operators are ONNX's own, and thresholds are the bundle's bit for bit."""
    require_valid(hand_off(run.bundle, scratch / "onnx"), run.bundle)


def golden_vectors_are_met(run: RunDirectory, scratch: Path) -> None:
    """handoff onnx: onnxruntime's logits are the golden ones, dense and sparse, and decisions differ by ties alone."""
    require_golden(hand_off(run.bundle, scratch / "onnx"), run.bundle)


def text_goes_on_as_the_programs(run: RunDirectory, scratch: Path) -> None:
    """handoff onnx: 64 greedy tokens with the cache are those of `gambit generate`, sparse nearly so, step by step."""
    decoder = Decoder(hand_off(run.bundle, scratch / "onnx"))
    tokenizer = Tokenizer.from_file(str(scratch / "onnx" / "tokenizer.json"))
    same = steps = dense = 0
    for prompt in PROMPTS:
        ids = tokenizer.encode(prompt).ids
        arguments = ("generate", "--bundle", run.bundle, "--prompt", prompt, "--max-tokens", TOKENS)
        expected = gambit.ask(*arguments, "--dense")["ids"]
        found = decoder.greedy(ids, len(expected), sparse=False)
        require(len(expected) > TOKENS // 4 and found == expected, f"{prompt!r}: dense, {found}, not {expected}")
        # A decision that lies on its threshold may turn the text that follows: here each step follows the program's.
        expected = gambit.ask(*arguments)["ids"]
        for sparse in (True, False):
            decoder.greedy(ids, 0, sparse)
            chosen = [int(decoder.logits([[last]], sparse)[0, -1].argmax()) for last in [ids[-1], *expected[:-1]]]
            agreed = sum(map(int.__eq__, chosen, expected))
            same, dense = (same + agreed, dense) if sparse else (same, dense + agreed)
        steps += len(expected)
    require(steps > TOKENS and same >= 0.9 * steps, f"only {same} of {steps} sparse steps are the program's")
    require(dense < same, f"the dense graph chooses {dense} of the sparse text's {steps} tokens, the sparse one {same}")


def padding_changes_nothing(run: RunDirectory, scratch: Path) -> None:
    """handoff onnx: two prompts in one batch, the shorter one padded to the left, are what they are alone."""
    graph = hand_off(run.bundle, scratch / "onnx")
    tokenizer = Tokenizer.from_file(str(graph.with_name("tokenizer.json")))
    require_padded(Decoder(graph), [tokenizer.encode(prompt).ids for prompt in PROMPTS])


def every_family_is_met(scratch: Path) -> None:
    """handoff onnx: tiny models of each family, with thresholds of every kind: golden vectors, checker, padding."""
    for index, (family, one_a_channel) in enumerate(itertools.product(FAMILIES, (True, False))):
        folder = scratch / f"onnx-{family}-{'each' if one_a_channel else 'all'}"
        bundle = tiny_bundles.export(family, folder, "f16" if index % 3 else "f32", one_a_channel)
        graph = hand_off(bundle, folder / "onnx")
        try:
            require_valid(graph, bundle)
            require_golden(graph, bundle)
            require_padded(Decoder(graph), [[5, 9, 12], [7, 3, 81, 4, 4, 17, 250, 33, 9, 2, 6]])
        except AssertionError as error:
            raise AssertionError(f"{folder.name}: {error}") from error


# What holds of any bundle.


def require_valid(graph: Path, bundle: Path) -> None:
    onnx.checker.check_model(graph, full_check=True)
    model = onnx.load(graph, load_external_data=False)
    require(all(not node.domain for node in model.graph.node), "an operator is of another domain")
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    for name, values in load_file(bundle / "thresholds.safetensors").items():
        require(stored[name].raw_data == values.tobytes(), f"{name} is another")
    require(graph.stat().st_size < 1 << 22, f"the graph takes {graph.stat().st_size} bytes")


def require_golden(graph: Path, bundle: Path) -> None:
    golden = load_file(bundle / "golden.safetensors")
    tolerance = json.loads((bundle / "manifest.json").read_text())["golden"]["tolerance"]
    decoder = Decoder(graph)
    given = GivenDecisions(graph, bundle)
    for text in range(sum(name.endswith(".tokens") for name in golden)):
        vectors = {name.split(".", 2)[2]: values for name, values in golden.items() if name.startswith(f"texts.{text}.")}
        tokens, positions = vectors["tokens"], vectors["positions"]
        dense, sparse, unsaid = (decoder.alone([tokens], sparse)[0] for sparse in (False, True, None))
        require(np.array_equal(sparse, unsaid) and not np.array_equal(sparse, dense), "it is not sparse unless told")
        given.decoder.forget()
        # A few positions at once, then one at a time.
        pieces = [slice(0, 8), *(slice(index, index + 1) for index in range(8, len(tokens)))]
        recorded = np.concatenate([given.run(tokens, piece, vectors) for piece in pieces])
        for kind, logits in (("dense", dense), ("sparse", recorded)):
            difference = np.abs(logits[positions] - vectors[kind]).max()
            require(difference <= tolerance, f"text {text}: {kind} logits differ by {difference}")


class GivenDecisions:
    """A decoder that keeps what golden vectors record, and is asked what it would have kept."""

    def __init__(self, graph: Path, bundle: Path):
        path, self.places = with_decisions_given(graph)
        self.decoder = Decoder(path)
        self.thresholds = load_file(bundle / "thresholds.safetensors")
        shapes = Shapes.of(json.loads((bundle / "config.json").read_text()))
        self.widths = {"ffn": shapes.intermediate, "down": shapes.intermediate, "input": shapes.hidden,
                       "query": shapes.hidden, "output": shapes.query}
        compared = {name for name in self.thresholds if name.endswith("threshold")}
        require(self.places.keys() == compared, f"{compared - self.places.keys()} decide nothing")

    def run(self, tokens: np.ndarray, piece: slice, vectors: dict[str, np.ndarray]) -> np.ndarray:
        """The logits after each token; its own decisions may differ from those recorded within 0.1% of a threshold."""
        kept = {name: np.unpackbits(vectors[f"kept_{place}"][piece, layer], axis=1, bitorder="little") == 1
                for name, (layer, place) in self.places.items()}
        kept = {name: flags[:, : self.widths[self.places[name][1]]] for name, flags in kept.items()}
        found = self.decoder.run([tokens[piece]], True, **{f"kept:{name}": flags for name, flags in kept.items()})
        for name, flags in kept.items():
            magnitude, threshold = found[f"magnitude:{name}"], self.thresholds[name]
            other = (magnitude >= threshold) != flags
            far = np.abs(magnitude - threshold) > 1e-3 * threshold
            require(not (other & far).any(), f"tokens {piece}: {name} decides otherwise")
        return found["logits"][0]


def require_padded(decoder: Decoder, prompts: list[list[int]]) -> None:
    """Prompts and a token behind each, dense, side by side and alone."""
    longest = max(map(len, prompts))
    padded = [[0] * (longest - len(prompt)) + prompt for prompt in prompts]
    attended = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    decoder.forget()
    together = [decoder.logits(padded, False, attended)[:, -1], decoder.logits([[11]] * len(prompts), False)[:, -1]]
    for row, prompt in enumerate(prompts):
        decoder.forget()
        for logits, tokens in zip(together, (prompt, [11])):
            difference = np.abs(decoder.logits([tokens], False)[0, -1] - logits[row]).max()
            require(difference <= 1e-3, f"prompt {row}: logits differ by {difference}")
