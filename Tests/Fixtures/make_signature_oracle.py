#!/usr/bin/env python3
"""A folder that the OpenSSF's `model-signing` signed, and keys of several kinds: for tests alone.

    make oracles    (or: python Tests/Fixtures/make_signature_oracle.py)

Writes Tests/SignaturesTests/Fixtures: `signed/` with two files and `model.sig`; `key.pem` (SEC1) and `key.pub`, which signed
it; the same key as `parameters.pem`, behind its curve's parameters, and `pkcs8.pem`; `encrypted.pem`; `other.pub`, that of
another key, and `p384.pem` and `p384.pub` of another curve. With `--accepts FOLDER KEY.pub` it writes nothing, and fails where
`model_signing` does not accept the folder's signature.
"""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "SignaturesTests" / "Fixtures"


def run(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


def main() -> None:
    if sys.argv[1:2] == ["--accepts"]:
        folder, key = sys.argv[2:]
        run(sys.executable, "-m", "model_signing", "verify", "key", "--public_key", key, "--signature",
            f"{folder}/model.sig", folder)
        return
    FOLDER.mkdir(exist_ok=True)
    key, signed = FOLDER / "key.pem", FOLDER / "signed"
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    run("openssl", "ec", "-in", key, "-pubout", "-out", FOLDER / "key.pub")
    run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", key, "-out", FOLDER / "pkcs8.pem")
    run("openssl", "pkcs8", "-topk8", "-passout", "pass:secret", "-in", key, "-out", FOLDER / "encrypted.pem")
    run("openssl", "ecparam", "-name", "prime256v1", "-out", FOLDER / "parameters.pem")
    with open(FOLDER / "parameters.pem", "a") as file:
        file.write(key.read_text())
    for name, curve in (("other", "prime256v1"), ("p384", "secp384r1")):
        private = FOLDER / f"{name}.pem"
        run("openssl", "ecparam", "-name", curve, "-genkey", "-noout", "-out", private)
        run("openssl", "ec", "-in", private, "-pubout", "-out", FOLDER / f"{name}.pub")
    (FOLDER / "other.pem").unlink()
    signed.mkdir(exist_ok=True)
    (signed / "a.txt").write_text("what is signed\n")
    (signed / "b.bin").write_bytes(bytes(range(256)))
    run(sys.executable, "-m", "model_signing", "sign", "key", "--private_key", key, "--signature", signed / "model.sig",
        signed)


if __name__ == "__main__":
    main()
