"""Writes the compressed files that ZstandardTests reads; run from any folder.

Versions used: pyzstd 0.20.0 (its own seekable format), zstandard 0.25.0 (zstd 1.5.7), xxhash 4.1.0, Python 3.11.7's gzip.

The contents of every good file are `pattern(n)`, which the tests compute for themselves.
"""

import gzip
import pathlib
import struct

import pyzstd
import xxhash
import zstandard

here = pathlib.Path(__file__).parent
SIZE = 300_000


def pattern(n: int) -> bytes:
    return bytes((i % 61) * (i // 997) & 0xFF for i in range(n))


data = pattern(SIZE)
compressor = zstandard.ZstdCompressor(level=3, write_checksum=True)

# Two frames, the second of which doesn't state its size, with a skippable frame between them.
stream = zstandard.ZstdCompressor(level=3, write_content_size=False).compressobj()
second = stream.compress(data[100_000:]) + stream.flush()
skippable = struct.pack("<II", 0x184D2A50, 5) + b"hello"
(here / "frames.zst").write_bytes(compressor.compress(data[:100_000]) + skippable + second)

# A frame that asks for a window of 2 GiB.
wide = zstandard.ZstdCompressionParameters.from_level(3, window_log=31, enable_ldm=False)
stream = zstandard.ZstdCompressor(compression_params=wide).compressobj()
(here / "wide.zst").write_bytes(stream.compress(data[:1000]) + stream.flush())

# A gigabyte of zeros.
stream = zstandard.ZstdCompressor(level=3).compressobj()
bomb = b"".join(stream.compress(bytes(1 << 20)) for _ in range(1024)) + stream.flush()
(here / "bomb.zst").write_bytes(bomb)

with pyzstd.SeekableZstdFile(here / "pyzstd.seekable.zst", "wb", max_frame_content_size=70_000) as file:
    file.write(data)

# By hand after the specification, with the table's optional checksums.
parts = [data[:1], data[1:200_000], data[200_000:]]
frames = [compressor.compress(part) for part in parts]
entries = b"".join(
    struct.pack("<III", len(frame), len(part), xxhash.xxh64_intdigest(part) & 0xFFFFFFFF)
    for frame, part in zip(frames, parts)
)
table = entries + struct.pack("<IBI", len(frames), 0x80, 0x8F92EAB1)
(here / "checksums.seekable.zst").write_bytes(
    b"".join(frames) + struct.pack("<II", 0x184D2A5E, len(table)) + table
)

members = gzip.compress(data[:100_000], mtime=0) + gzip.compress(b"", mtime=0) + gzip.compress(data[100_000:], mtime=0)
(here / "members.gz").write_bytes(members)
(here / "padded.gz").write_bytes(members + bytes(512))
