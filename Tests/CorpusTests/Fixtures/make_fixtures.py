"""Writes the text files that CorpusTests reads, the sample that must come out, and sample files made by h5py.

Versions used: Python 3.11.7, zstandard 0.25.0, h5py 3.16.0, numpy 2.4.6. Run from any folder.

The sampler is written here a second time, from its documentation and without streaming: all documents of a source
are sorted by priority. A token is a UTF-8 byte plus one, and 0 ends a text.
"""

import gzip
import hashlib
import json
import pathlib
import random
import struct
from fractions import Fraction

import h5py
import numpy as np
import zstandard

here = pathlib.Path(__file__).parent
text = here / "text"
(text / "notes" / "deep").mkdir(parents=True, exist_ok=True)
random.seed(4)
WORDS = "ein Gambit opfert Material für Tempo – 将棋 шахматы ♞ e4 e5 f4".split(" ")


def document() -> str:
    return " ".join(random.choices(WORDS, k=random.randint(3, 40)))


first = [document() for _ in range(60)]
first[5] = "line\r\nend\rand\ttab"
first[6] = "line\nend\rand\ttab"  # the same, once cleaned
first[7] = " \n\u00a0\u2003"
first[8] = first[3]
second = [document() for _ in range(40)] + first[:10]
third = [document() for _ in range(30)]


def jsonl(documents: list[str], field: str) -> bytes:
    return "".join(json.dumps({"id": 1, field: d}, ensure_ascii=i % 2 == 0) + "\n" for i, d in enumerate(documents)).encode()


# A byte order mark, blank lines, CRLF between lines, and no line end at the end.
raw = b"\xef\xbb\xbf" + jsonl(first, "text").replace(b"\n", b"\r\n", 5).replace(b"}\n", b"}\n\n  \n", 2)
(text / "first.jsonl").write_bytes(raw.rstrip(b"\n"))
(text / "second.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(jsonl(second, "content")))
(text / "third.jsonl.gz").write_bytes(gzip.compress(jsonl(third, "content"), mtime=0))
notes = {"a.txt": "A note.\n".encode() * 30, "deep/b.txt": b"bad \xff\xfe UTF-8 \xe2\x82", "deep/empty.txt": b""}
for name, contents in notes.items():
    (text / "notes" / name).write_bytes(contents)
(text / "notes" / "deep" / "c.txt.gz").write_bytes(gzip.compress("Gezippt – äöü\n".encode() * 20, mtime=0))
notes_in_order = [
    notes["a.txt"].decode(), notes["deep/b.txt"].decode(errors="replace"), "Gezippt – äöü\n" * 20, ""
]

SEED, LENGTH, COUNT = 0x0123456789ABCDEF, 32, 75
sources = [
    ("text", 2.0, [first]),
    ("content", 1.0, [second, third]),
    ("text", 0.5, [notes_in_order]),
]


def sample(sources, seed: int, length: int, total: int):
    total = total // length * length
    weights = [w for _, w, _ in sources]
    limits = [round(total * sum(weights[: i + 1]) / sum(weights)) for i in range(len(weights))]
    shares = [b - a for a, b in zip([0] + limits, limits)]
    seen, chosen, accounts = set(), [], []
    for (_, _, files), share in zip(sources, shares):
        account = dict(documents=0, duplicates=0, empty=0, used=0, tokens=share)
        pool = []
        for document in (d for file in files for d in file):
            account["documents"] += 1
            clean = document.replace("\r\n", "\n")
            digest = hashlib.sha256(clean.encode()).digest()
            if not clean.strip():
                account["empty"] += 1
            elif digest in seen:
                account["duplicates"] += 1
            else:
                seen.add(digest)
                priority = hashlib.sha256(struct.pack("<Q", seed) + digest).digest()
                pool.append((priority, [b + 1 for b in clean.encode()] + [0]))
        room = share
        for priority, tokens in sorted(pool):
            if room == 0:
                break
            if len(tokens) > room:
                tokens = tokens[: room - 1] + [0]
            middle = Fraction(2 * (share - room) + len(tokens), 2 * share)
            room -= len(tokens)
            chosen.append((middle, priority, tokens))
            account["used"] += 1
        assert room == 0
        accounts.append(account)
    tokens = [t for *_, ts in sorted(chosen) for t in ts]
    return np.array(tokens, dtype="<i4").reshape(-1, length), accounts


def content_hash(ids: np.ndarray) -> str:
    return hashlib.sha256(struct.pack("<QQ", *ids.shape) + ids.astype("<i4").tobytes()).hexdigest()


ids, accounts = sample(sources, SEED, LENGTH, LENGTH * COUNT + 7)
expected = dict(
    first=first, second=second, third=third, notes=notes_in_order,
    seed=SEED, sequenceLength=LENGTH, requestedTokens=LENGTH * COUNT + 7,
    tokens=ids.ravel().tolist(), contentHash=content_hash(ids), accounts=accounts,
    digests={str(p.relative_to(text)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(text.rglob("*.*"))},
)
(here / "expected.json").write_text(json.dumps(expected, ensure_ascii=False))

PROVENANCE = dict(seed=1, requested_tokens=12, end_of_text=0, tokenizer="abc", sources=[])
ids = np.arange(12, dtype="<i4").reshape(3, 4)


def write_sample(name: str, ids=ids, **changes):
    attributes = dict(
        format="gambit-sample", format_version=np.int64(1), content_hash=content_hash(ids),
        provenance=json.dumps(PROVENANCE),
    )
    with h5py.File(here / "samples" / f"{name}.h5", "w", libver=("earliest", "v108")) as file:
        for key, value in (attributes | changes).items():
            if value is not None:
                file.attrs[key] = value
        file.create_dataset("tokens", data=ids)


(here / "samples").mkdir(exist_ok=True)
write_sample("good")
write_sample("bad-format", format="gambit-statistics")
write_sample("bad-no-format", format=None)
write_sample("bad-version", format_version=np.int64(2))
write_sample("bad-hash", content_hash="0" * 64)
write_sample("bad-provenance", provenance="{}")
write_sample("bad-negative", ids=-ids)
write_sample("bad-empty", ids=ids[:0])
write_sample("bad-type", ids=ids.astype("int64"))
with h5py.File(here / "samples" / "bad-rank.h5", "w", libver=("earliest", "v108")) as file:
    file.attrs.update(dict(format="gambit-sample", format_version=np.int64(1), content_hash="", provenance="{}"))
    file["tokens"] = ids.ravel()
