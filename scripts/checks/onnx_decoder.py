"""A decoder that `gambit handoff --to onnx` wrote, run by onnxruntime."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime

# Where thresholds cut, and what golden vectors call the decisions there.
PLACES = {
    "ffn.threshold": "ffn", "ffn.product_threshold": "down", "ffn.input_threshold": "input",
    "attention.query_threshold": "query", "attention.output_threshold": "output"}


class Decoder:
    """Runs tokens `[batch, sequence]`, and keeps keys and values of what it ran."""

    def __init__(self, graph: Path, threads: int = 2):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # it warns of `sparse`, which is an input with a default
        self.session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self.outputs = [output.name for output in self.session.get_outputs()]
        self.caches = {each.name: each.shape for each in self.session.get_inputs() if each.name.startswith("past")}
        self.forget()

    def forget(self) -> None:
        self.past: dict[str, np.ndarray] = {}
        self.mask: np.ndarray | None = None

    def run(self, tokens, sparse: bool | None, attended=None, **others: np.ndarray) -> dict[str, np.ndarray]:
        """Every output by its name.

        `sparse` is left to the graph where it is None; `attended` has zeros where there is padding; what is left goes
        in by its name.
        """
        tokens = np.atleast_2d(np.asarray(tokens, np.int64))
        attended = np.ones_like(tokens) if attended is None else np.asarray(attended, np.int64)
        if self.mask is None:
            self.mask = attended
            self.past = {name: np.zeros((len(tokens), shape[1], 0, shape[3]), np.float32)
                         for name, shape in self.caches.items()}
        else:
            self.mask = np.concatenate([self.mask, attended], axis=1)
        positions = np.maximum(self.mask.cumsum(axis=1) - 1, 0)[:, -tokens.shape[1]:]
        inputs = {"input_ids": tokens, "attention_mask": self.mask, "position_ids": positions, **self.past, **others}
        if sparse is not None:
            inputs["sparse"] = np.array(sparse)
        found = dict(zip(self.outputs, self.session.run(None, inputs)))
        self.past = {name: found[name.replace("past_key_values", "present")] for name in self.past}
        return found

    def logits(self, tokens, sparse: bool | None, attended=None) -> np.ndarray:
        """`[batch, sequence, vocabulary]`."""
        return self.run(tokens, sparse, attended)["logits"]

    def alone(self, tokens, sparse: bool | None) -> np.ndarray:
        """The same with nothing before them."""
        self.forget()
        return self.logits(tokens, sparse)

    def greedy(self, prompt: list[int], count: int, sparse: bool) -> list[int]:
        """Continues a prompt as `gambit generate` does: all of it but the last token is read densely."""
        self.forget()
        if prompt[:-1]:
            self.run([prompt[:-1]], sparse=False)
        tokens = prompt[-1:]
        while len(tokens) <= count:
            tokens.append(int(self.logits([tokens[-1:]], sparse)[0, -1].argmax()))
        return tokens[1:]


def with_decisions_given(graph: Path) -> tuple[Path, dict[str, tuple[int, str]]]:
    """The graph with an input `kept:NAME` in place of each comparison with the threshold NAME, which goes out as
    `magnitude:NAME`; and the layer and place of each.
    """
    model = onnx.load(graph, load_external_data=False)
    places = {}
    for node in model.graph.node:
        if node.op_type != "GreaterOrEqual" or not node.input[1].startswith("layers."):
            continue
        magnitude, name = node.input
        _, layer, place = name.split(".", 2)
        places[name] = int(layer), PLACES[place]
        shape = ["rows", "channels"]
        model.graph.input.append(onnx.helper.make_tensor_value_info(f"kept:{name}", onnx.TensorProto.BOOL, shape))
        model.graph.output.append(
            onnx.helper.make_tensor_value_info(f"magnitude:{name}", onnx.TensorProto.FLOAT, shape))
        node.op_type, node.input[:] = "Identity", [f"kept:{name}"]
        model.graph.node.append(onnx.helper.make_node("Identity", [magnitude], [f"magnitude:{name}"]))
    path = graph.with_name("given.onnx")
    onnx.save(model, path)
    return path, places
