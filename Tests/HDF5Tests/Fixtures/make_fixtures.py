"""Writes the HDF5 files that HDF5Tests reads, with h5py; run from any folder.

Versions used: h5py 3.16.0 (HDF5 2.0.0), numpy 2.4.6.
"""

import pathlib

import h5py
import numpy as np

here = pathlib.Path(__file__).parent

with h5py.File(here / "h5py.h5", "w", libver=("earliest", "v108")) as file:
    values = np.arange(24)
    for name in ("float32", "float64", "int32", "int64", "uint8", "uint32", "uint64"):
        data = (values * 2.5 if name.startswith("float") else values).astype(name).reshape(6, 4)
        file.create_dataset(f"types/{name}", data=data, chunks=(2, 4), compression="gzip", shuffle=True)
    file["big_endian"] = values.astype(">i4").reshape(6, 4)
    file["scalar"] = np.float64(0.1)
    file["int16"] = values.astype("int16")
    # Claims 8 TB without a byte behind it.
    file.create_dataset("bomb", shape=(1 << 40,), dtype="float64", chunks=(1024,))
    # Its contents would come from another file.
    file.create_dataset("external", shape=(4,), dtype="uint8", external=[("/etc/hostname", 0, 4)])
    file["external_link"] = h5py.ExternalLink("other.h5", "/secret")
    file["dangling"] = h5py.SoftLink("/nothing")
    file.attrs["text"] = "naïve ✓"
    file.attrs["fixed"] = np.bytes_("fixed")
    file.attrs["texts"] = ["one", "two", ""]
    file.attrs["integer"] = 42
    file.attrs["small"] = np.uint8(200)
    file.attrs["reals"] = np.array([0.5, -1.25], dtype="float32")
    file.attrs["matrix"] = np.zeros((2, 2))

with h5py.File(here / "damaged.h5", "w", libver=("earliest", "v108")) as file:
    data = np.arange(4096, dtype="int32")
    file.create_dataset("values", data=data, chunks=(1024,), compression="gzip", fletcher32=True)
    chunk = file["values"].id.get_chunk_info(1)
    middle = chunk.byte_offset + chunk.size // 2
with open(here / "damaged.h5", "r+b") as file:
    file.seek(middle)
    byte = file.read(1)[0]
    file.seek(middle)
    file.write(bytes([byte ^ 0x55]))
