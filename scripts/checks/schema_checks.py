"""jsonschema accepts the examples of schemas/examples and refuses the counter-examples; so do Gambit's own readers."""

import copy
import hashlib
import json
import shutil
import struct
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

import gambit
from outcome import require
from run_directory import REPOSITORY, RunDirectory

SCHEMAS = REPOSITORY / "schemas"
EXAMPLES = SCHEMAS / "examples"


def examples_follow_their_schemas() -> None:
    """schemas: jsonschema accepts every example, refuses every counter-example, and each schema has both."""
    for schema in sorted(SCHEMAS.glob("*.schema.json")):
        name = schema.name.removesuffix(".schema.json")
        examples = list(of(name))
        require(bool(examples), f"{name} has no example")
        for path, document in examples:
            require(not errors(document, name), f"{path.name} of {name}: {errors(document, name)[:2]}")
        counter_examples = list(counters_of(name))
        require(len(counter_examples) >= 5, f"{name} has {len(counter_examples)} counter-examples")
        for because, document in counter_examples:
            require(bool(errors(document, name)), f"{name} accepts that {because}")


def readers_agree_with_schemas(run: RunDirectory, model: Path, scratch: Path) -> None:
    """schemas: pipelines, comparisons, thresholds and manifests that they refuse Gambit refuses, too."""
    for name, command in (("pipeline", "run"), ("compare", "compare")):
        for index, (because, document) in enumerate(counters_of(name)):
            path = scratch / f"{name}-{index}.yaml"
            path.write_text(yaml.safe_dump(document))
            message = gambit.refuse(command, path, "--output", scratch / "none")
            require(path.name in message, f"that {because}: {message}")
    header, tensors = split((run.bundle / "thresholds.safetensors").read_bytes())
    for because, metadata in counters_of("thresholds", {"demo.json": header["__metadata__"]}):
        path = scratch / "counter.safetensors"
        text = json.dumps(header | {"__metadata__": metadata}).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + tensors)
        message = gambit.refuse("export", "--model", model, "--thresholds", path, "--output", scratch / "none")
        require(path.name in message, f"that {because}: {message}")
    bundle = scratch / "counter-bundle"
    shutil.copytree(run.bundle, bundle)
    manifest = json.loads((bundle / "manifest.json").read_text())
    for because, document in counters_of("manifest", {"demo.json": manifest}):
        (bundle / "manifest.json").write_bytes(sealed(document))
        answer = gambit.attempt("verify", bundle, "--json")
        failed = [check["name"] for check in json.loads(answer.output)["checks"] if not check["ok"]]
        require(answer.code == 1 and failed[:1] == ["manifest"], f"that {because}: {answer.code}, {failed}")


def split(safetensors: bytes) -> tuple[dict, bytes]:
    """The header and what follows it."""
    size = struct.unpack("<Q", safetensors[:8])[0]
    return json.loads(safetensors[8 : 8 + size]), safetensors[8 + size :]


def of(name: str) -> list[tuple[Path, object]]:
    paths = sorted(path for path in (EXAMPLES / name).iterdir() if path.name != "counter-examples.yaml")
    return [(path, yaml.safe_load(path.read_text())) for path in paths]


def counters_of(name: str, examples: dict[str, object] | None = None) -> list[tuple[str, object]]:
    """An example with one change each: `set` values at a path, and `remove` one. Of the given examples alone, where
    some are given."""
    entries = yaml.safe_load((EXAMPLES / name / "counter-examples.yaml").read_text())
    if examples is None:
        examples = {path.name: document for path, document in of(name)}
    changed = []
    for entry in [entry for entry in entries if entry["example"] in examples]:
        document = copy.deepcopy(examples[entry["example"]])
        for path, value in entry.get("set", {}).items():
            place, key = parent(document, path)
            place[key] = value
        if "remove" in entry:
            place, key = parent(document, entry["remove"])
            del place[key]
        changed.append((entry["because"], document))
    return changed


def parent(document: object, path: str) -> tuple[object, str | int]:
    """Where the last part of `a.0.b` is to be found; numbers are places in lists."""
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        document = document[part]
    return document, last


def errors(document: object, name: str) -> list[str]:
    schemas = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.schema.json")}
    # Some refer to parts of others by their file names.
    registry = Registry().with_resources((name, Resource.from_contents(schema)) for name, schema in schemas.items())
    schema = schemas[f"{name}.schema.json"]
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, registry=registry)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def sealed(manifest: dict) -> bytes:
    """With the digest of its own that schemas/bundle.md describes, where it has a place for one."""
    if "manifest_sha256" not in manifest:
        return json.dumps(manifest).encode()
    zeros = "0" * 64
    text = json.dumps(manifest | {"manifest_sha256": zeros}).encode()
    return text.replace(zeros.encode(), hashlib.sha256(text).hexdigest().encode())
