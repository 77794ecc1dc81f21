"""The records of quantised rows, as schemas/bundle.md describes them, in numpy: written from that page alone."""

import numpy as np

GROUP, LINE = 32, 64
Q4_HALF = GROUP // 2
PLANES = {"int8-planes": ("high_nibbles", "low_nibbles"), "f16-planes": ("high_bytes", "low_bytes")}
NIBBLES, BYTES = PLANES.values()


def row_bytes(kind: str, columns: int) -> int:
    """Size of a row's record."""
    groups = -(-columns // GROUP)
    if kind in NIBBLES:
        return groups * (Q4_HALF + 2)
    if kind in BYTES:
        return columns
    size = groups * {"int8": GROUP + 2, "q4": Q4_HALF + 4}[kind]
    return -(-size // LINE) * LINE


def decode(kind: str, records: np.ndarray, columns: int) -> np.ndarray:
    """`records` uint8 [rows, bytes of a row] → float32 [rows, columns]; of low nibbles what they add to high ones."""
    if kind == "high_bytes":
        return (records.astype(np.uint16) << 8 | 128).view(np.float16).astype(np.float32)
    groups = -(-columns // GROUP)
    rows = len(records)
    if kind == "int8":
        codes, scales = np.split(records[:, : groups * (GROUP + 2)], [groups * GROUP], axis=1)
        values = codes.view(np.int8).reshape(rows, groups, GROUP).astype(np.float32) * halves(scales)
    elif kind in NIBBLES:
        codes, scales = np.split(records, [groups * Q4_HALF], axis=1)
        codes = codes.reshape(rows, groups, Q4_HALF)
        codes = np.concatenate([codes & 15, codes >> 4], axis=2).astype(np.float32)
        codes = 16 * codes - np.float32(120.5) if kind == "high_nibbles" else codes - np.float32(7.5)
        values = codes * halves(scales)
    else:
        ends = [groups * Q4_HALF, groups * (Q4_HALF + 2)]
        codes, scales, minima = np.split(records[:, : groups * (Q4_HALF + 4)], ends, axis=1)
        codes = codes.reshape(rows, groups, Q4_HALF)
        codes = np.concatenate([codes & 15, codes >> 4], axis=2).astype(np.float32)
        values = codes * halves(scales) + halves(minima)
    return values.reshape(rows, groups * GROUP)[:, :columns]


def joined(kind: str, high: np.ndarray, low: np.ndarray, columns: int) -> np.ndarray:
    """Both planes → float32 [rows, columns]."""
    if kind == "int8-planes":
        return decode("high_nibbles", high, columns) + decode("low_nibbles", low, columns)
    return (high.astype(np.uint16) << 8 | low).view(np.float16).astype(np.float32)


def encode(kind: str, weights: np.ndarray) -> np.ndarray:
    """float32 [rows, columns] → uint8 [rows, bytes of a row]."""
    if kind in BYTES:
        bits = weights.astype(np.float16).view(np.uint16)
        return (bits >> 8 if kind == "high_bytes" else bits & 255).astype(np.uint8)
    if kind in NIBBLES:
        return split(kind, encode("int8", weights), weights.shape[1])
    rows, columns = weights.shape
    groups = -(-columns // GROUP)
    inside = np.arange(groups * GROUP).reshape(1, groups, GROUP) < columns
    # Columns beyond the last repeat the group's first weight, so that they change neither minimum nor maximum.
    w = np.zeros((rows, groups * GROUP), np.float32)
    w[:, :columns] = weights
    w = w.reshape(rows, groups, GROUP)
    w = np.where(inside, w, w[:, :, :1])
    records = np.zeros((rows, row_bytes(kind, columns)), np.uint8)
    if kind == "int8":
        scale = half(np.abs(w).max(2, keepdims=True) / np.float32(127))
        codes = np.where(inside, nearest(w, np.float32(0), scale, -127, 127), 0).astype(np.int8)
        parts = [codes.view(np.uint8), scale]
    else:
        minimum = half(w.min(2, keepdims=True))
        scale = half((w.max(2, keepdims=True) - minimum) / np.float32(15))
        codes = nearest(w, minimum, scale, 0, 15)
        # Groups that are not exact so, but are on GGUF's Q4_0 grid.
        extreme = np.take_along_axis(w, np.abs(w).argmax(2, keepdims=True), axis=2)
        with np.errstate(over="ignore"):
            other_minimum, other_scale = half(extreme), half(extreme / np.float32(-8))
        other_codes = nearest(w, other_minimum, other_scale, 0, 15)
        exact = (codes * scale + minimum == w).all(2, keepdims=True)
        other_exact = (other_minimum == extreme) & (other_scale * np.float32(-8) == extreme)
        other_exact &= (other_codes * other_scale + other_minimum == w).all(2, keepdims=True)
        other = ~exact & other_exact
        minimum, scale, codes = (
            np.where(other, a, b)
            for a, b in ((other_minimum, minimum), (other_scale, scale), (other_codes, codes)))
        codes = np.where(inside, codes, 0).astype(np.uint8)
        parts = [codes[:, :, :Q4_HALF] | codes[:, :, Q4_HALF:] << 4, scale, minimum]
    data = [part.reshape(rows, -1) for part in parts[:1]]
    data += [part.astype("<f2").reshape(rows, -1).view(np.uint8) for part in parts[1:]]
    data = np.concatenate(data, axis=1)
    records[:, : data.shape[1]] = data
    return records


def split(kind: str, records: np.ndarray, columns: int) -> np.ndarray:
    """One plane of `int8` records."""
    rows, groups = len(records), -(-columns // GROUP)
    codes, scales, _ = np.split(records, [groups * GROUP, groups * (GROUP + 2)], axis=1)
    shifted = codes.view(np.int8).astype(np.int16) + 128
    nibbles = shifted // 16 if kind == "high_nibbles" else shifted % 16
    nibbles[:, columns:] = 0
    nibbles = nibbles.astype(np.uint8).reshape(rows, groups, GROUP)
    pairs = nibbles[:, :, :Q4_HALF] | nibbles[:, :, Q4_HALF:] << 4
    return np.concatenate([pairs.reshape(rows, -1), scales], axis=1)


def rounded_activations(x: np.ndarray) -> np.ndarray:
    """float32 [rows, columns], each group of 32 rounded to 8 bits; 0 where the inverse of a scale is infinite."""
    result = np.empty_like(x)
    for start in range(0, x.shape[1], GROUP):
        group = x[:, start : start + GROUP]
        largest = np.abs(group).max(1, keepdims=True)
        with np.errstate(divide="ignore", over="ignore"):
            inverse = np.float32(127) / largest
        inverse = np.where(np.isfinite(inverse), inverse, np.float32(0))
        result[:, start : start + GROUP] = np.rint(group * inverse) * (largest / np.float32(127))
    return result


def nearest(w: np.ndarray, origin: np.ndarray, scale: np.ndarray, low: int, high: int) -> np.ndarray:
    """The nearest codes, as float32; 0 where the scale is 0."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        codes = np.where(scale == 0, np.float32(0), (w - origin) / scale)
    return np.rint(np.clip(codes, low, high))


def half(x: np.ndarray) -> np.ndarray:
    """The nearest binary16, as float32."""
    return x.astype(np.float16).astype(np.float32)


def halves(data: np.ndarray) -> np.ndarray:
    """Little-endian binary16 [rows, 2 · groups] bytes → float32 [rows, groups, 1]."""
    return np.ascontiguousarray(data).view("<f2").astype(np.float32)[:, :, None]
