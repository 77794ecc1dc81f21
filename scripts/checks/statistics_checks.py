"""h5py reads `sample.h5` and `statistics.h5`."""

import h5py
import numpy as np

from outcome import require
from run_directory import RunDirectory, Shapes

# The histograms of a layer and the size that says how many channels each has.
COUNTS = {
    "ffn/gate_count": "intermediate", "ffn/up_count": "intermediate", "ffn/product_count": "intermediate",
    "ffn/input_count": "hidden", "attention/input_count": "hidden", "attention/output_input_count": "query",
}
ENERGIES = ("ffn/gate_energy", "ffn/up_energy")
SUMS = ("ffn/up_abs_sum", "ffn/up_square_sum")


def sample_is_token_sequences(run: RunDirectory) -> None:
    """sample.h5: sequences of one length, every token inside the vocabulary."""
    with h5py.File(run.sample) as file:
        found = [value for value in datasets(file) if value.ndim == 2 and np.issubdtype(value.dtype, np.integer)]
        require(len(found) == 1, f"expected one [sequences, length] array of integers, found {len(found)}")
        tokens = found[0][...]
    require(tokens.size > 0, "there are no tokens")
    require(tokens.min() >= 0 and tokens.max() < run.shapes.vocabulary, f"token {tokens.max()} outside the vocabulary")


def files_say_where_they_come_from(run: RunDirectory) -> None:
    """sample.h5, statistics.h5: root attributes hold source hashes and versions."""
    for path in (run.sample, run.statistics):
        with h5py.File(path) as file:
            attributes = {name: str(as_text(value)) for name, value in file.attrs.items()}
        require(any("version" in name for name in attributes), f"{path.name} names no version: {sorted(attributes)}")
        require(any(is_sha256(value) for value in attributes.values()), f"{path.name} holds no SHA-256")


def every_layer_has_documented_shapes(run: RunDirectory) -> None:
    """statistics.h5: each layer's datasets have the documented shapes."""
    with h5py.File(run.statistics) as file:
        layers = sorted(file["layers"])
        require(layers == [f"{index:03}" for index in range(run.shapes.layers)], f"layers are named {layers}")
        edges = file["bin_edges"].size
        for layer in layers:
            group = file["layers"][layer]
            bins = group["ffn/gate_count"].shape[1]
            require(edges == bins + 1, f"{edges} edges do not bound {bins} bins")
            for name, channels in channel_counts(run.shapes).items():
                expected = (channels,) if name in SUMS else (channels, bins)
                require(group[name].shape == expected, f"layer {layer} {name} is {group[name].shape}, not {expected}")


def bin_edges_increase(run: RunDirectory) -> None:
    """statistics.h5: bin edges increase from zero to infinity, so that every magnitude has a bin."""
    with h5py.File(run.statistics) as file:
        edges = file["bin_edges"][...].astype(np.float64)
    require(edges[0] == 0 and edges[-1] == np.inf, f"they go from {edges[0]} to {edges[-1]}")
    require(bool((edges[1:] > edges[:-1]).all()), "they do not increase")


def counts_add_up(run: RunDirectory) -> None:
    """statistics.h5: each channel counts every token once, and every token at a sink position apart."""
    with h5py.File(run.statistics) as file:
        tokens, sink_tokens = int(file["tokens"][()]), int(file["sink_tokens"][()])
        for layer, group in file["layers"].items():
            require_counts(group, tokens, layer)
            if sink_tokens:
                require_counts(group["sinks"], sink_tokens, f"{layer}, sinks,")


def require_counts(group: h5py.Group, tokens: int, where: str) -> None:
    for name in COUNTS:
        totals = group[name][...].astype(np.int64).sum(axis=1)
        require(bool((totals == tokens).all()), f"layer {where} {name} counts {totals[0]} of {tokens} tokens")


def energies_agree(run: RunDirectory) -> None:
    """statistics.h5: a channel's energy is the same whichever factor it is binned by."""
    with h5py.File(run.statistics) as file:
        for layer, group in file["layers"].items():
            gate, up = (group[name][...].astype(np.float64).sum(axis=1) for name in ENERGIES)
            require(bool(np.allclose(gate, up, rtol=1e-6)), f"layer {layer} differs by {np.abs(gate - up).max()}")


def sums_lie_within_their_bins(run: RunDirectory) -> None:
    """statistics.h5: Σ|u| and Σu² lie between the bounds that the histogram of |u| gives."""
    with h5py.File(run.statistics) as file:
        edges = file["bin_edges"][...].astype(np.float64)
        for layer, group in file["layers"].items():
            counts = group["ffn/up_count"][...].astype(np.float64)
            lower, upper = edges[:-1], edges[1:]
            # An open last bin bounds nothing from above; where it is empty it must not turn 0 · ∞ into NaN.
            weighed_upper = np.where(counts > 0, upper, 0)
            for name, power in (("ffn/up_abs_sum", 1), ("ffn/up_square_sum", 2)):
                total = group[name][...].astype(np.float64)
                low, high = (counts * lower**power).sum(1), (counts * weighed_upper**power).sum(1)
                inside = (low <= total * (1 + 1e-6)) & (total <= high * (1 + 1e-6))
                require(bool(inside.all()), f"layer {layer} {name} does not, in {int((~inside).sum())} channels")


def arrays_are_filtered(run: RunDirectory) -> None:
    """statistics.h5: arrays are chunked, shuffled, compressed and carry checksums."""
    with h5py.File(run.statistics) as file:
        for value in datasets(file["layers"]):
            require(value.chunks is not None, f"{value.name} is not chunked")
            require(value.fletcher32, f"{value.name} has no checksum")
            require(value.shuffle and value.compression == "gzip", f"{value.name} is not shuffled and deflated")


def arrays_state_their_units(run: RunDirectory) -> None:
    """statistics.h5: every array of a layer has an attribute `units`."""
    with h5py.File(run.statistics) as file:
        unlabelled = [value.name for value in datasets(file["layers"]) if "units" not in value.attrs]
    require(not unlabelled, f"{len(unlabelled)} have none, the first is {unlabelled[:1]}")


def channel_counts(shapes: Shapes) -> dict[str, int]:
    channels = {name: getattr(shapes, size) for name, size in COUNTS.items()}
    return channels | dict.fromkeys(ENERGIES + SUMS, shapes.intermediate)


def datasets(group: h5py.Group) -> list[h5py.Dataset]:
    found = []
    group.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
    return found


def as_text(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value


def is_sha256(value: str) -> bool:
    return len(value.removeprefix("sha256:")) == 64 and set(value.removeprefix("sha256:")) <= set("0123456789abcdef")


CHECKS = (
    sample_is_token_sequences, files_say_where_they_come_from, every_layer_has_documented_shapes, bin_edges_increase,
    counts_add_up, energies_agree, sums_lie_within_their_bins, arrays_are_filtered, arrays_state_their_units,
)
