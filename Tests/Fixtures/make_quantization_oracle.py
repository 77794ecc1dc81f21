#!/usr/bin/env python3
"""Records of quantised rows, by numpy.

    make oracles    (or: python Tests/Fixtures/make_quantization_oracle.py)

Writes `quantization.safetensors`: for each case `CASE.weights`, float32 [rows, columns], the records `CASE.int8`,
`CASE.q4` and, in planes, `CASE.high_nibbles`, `CASE.low_nibbles`, `CASE.high_bytes` and `CASE.low_bytes`, uint8 [rows,
bytes of a row], what high planes stand for alone, `CASE.high_nibbles.values` and `CASE.high_bytes.values`, float32 [rows,
columns], and `CASE.activations`, the weights rounded as activations are.
Cases that one of the types cannot hold lack its records.
Of cases whose name begins with `exact_int8` or `exact_q4` that type keeps every weight.
"""

import sys

import numpy as np

from fixture_io import FIXTURES, REPOSITORY, save, versions

sys.path.append(str(REPOSITORY / "scripts" / "checks"))
from quantized_rows import PLANES, decode, encode, joined, rounded_activations  # noqa: E402

SHAPES = [(3, 1), (2, 31), (4, 32), (2, 33), (3, 64), (2, 96), (2, 100), (3, 161)]


def cases() -> dict[str, np.ndarray]:
    random = np.random.default_rng(5)

    def normal(*shape: int) -> np.ndarray:
        return random.standard_normal(shape).astype(np.float32)

    def halves(low: float, high: float, *shape: int) -> np.ndarray:
        return random.uniform(low, high, shape).astype(np.float16).astype(np.float32)

    result = {f"normal_{rows}x{columns}": normal(rows, columns) * np.float32(0.05) for rows, columns in SHAPES}

    spread = normal(4, 160) * np.exp(normal(4, 160) * 4)
    spread[1, 32:64] = 0  # a group of zeros
    spread[2, :] = 0
    spread[3, 64:96] = spread[3, 64]  # a group of one value
    result["spread"] = spread

    tiny = normal(6, 64) * np.float32(1e-8)
    tiny[1] *= np.float32(300)   # scales of int8 are subnormal halves
    tiny[2] *= np.float32(1e-20)
    tiny[3] *= np.float32(1e-36)  # float32's own subnormals
    tiny[4] = np.float32(0.1) + tiny[4]  # a minimum, and a scale that vanishes beside it
    tiny[5] = np.float32(-0.1) + tiny[5] * np.float32(1000)
    result["tiny"] = tiny

    result["large"] = random.uniform(-65000, 65000, (2, 64)).astype(np.float32)
    result["only_int8"] = random.uniform(-8e6, 8e6, (2, 64)).astype(np.float32)

    # Halfway between two codes: ties go to the even one.
    ties = (np.arange(64, dtype=np.float32) - 31.5) / 4
    ties[[0, 32]], ties[[31, 63]] = -127 / 4, 127 / 4
    result["ties"] = np.stack([ties, ties * np.float32(0.5)])

    # As GGUF files have them: Q8_0, Q4_1, and Q4_0 with and without its last step.
    codes = random.integers(-127, 128, (3, 3, 32)).astype(np.float32)
    codes[:, :, 7] = 127
    result["exact_int8"] = (codes * halves(1e-6, 0.1, 3, 3, 1)).reshape(3, 96)
    codes = random.integers(0, 16, (3, 3, 32)).astype(np.float32)
    codes[:, :, 3], codes[:, :, 30] = 0, 15
    result["exact_q4_1"] = (codes * halves(1e-5, 0.02, 3, 3, 1) + halves(-0.2, 0.1, 3, 3, 1)).reshape(3, 96)
    for name, top in (("full", 16), ("short", 13)):
        codes = random.integers(0, top, (3, 3, 32)).astype(np.float32)
        codes[:, :, 11] = 0
        result[f"exact_q4_0_{name}"] = ((codes - 8) * halves(-0.02, 0.02, 3, 3, 1)).reshape(3, 96)
    return result


def main() -> None:
    tensors = {}
    for name, weights in cases().items():
        tensors[f"{name}.weights"] = weights
        tensors[f"{name}.activations"] = rounded_activations(weights)
        for kind in ("int8", "q4"):
            if name == "only_int8" and kind == "q4":
                continue
            records = tensors[f"{name}.{kind}"] = encode(kind, weights)
            if name.startswith(f"exact_{kind}"):
                assert (decode(kind, records, weights.shape[1]) == weights).all(), name
        columns = weights.shape[1]
        for kind, planes in PLANES.items():
            if kind == "f16-planes" and np.abs(weights).max() >= 65520:  # infinite as halves
                continue
            records = [encode(plane, weights) for plane in planes]
            tensors |= {f"{name}.{plane}": stored for plane, stored in zip(planes, records)}
            tensors[f"{name}.{planes[0]}.values"] = decode(planes[0], records[0], columns)
            whole = weights.astype(np.float16) if kind == "f16-planes" else decode("int8", tensors[f"{name}.int8"], columns)
            assert (joined(kind, *records, columns) == whole).all(), name
    save(FIXTURES / "quantization.safetensors", tensors, versions("numpy", "safetensors"))


if __name__ == "__main__":
    main()
