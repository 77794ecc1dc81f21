"""Compares `gambit tokenize` with transformers on every document of the given files.

    python tokenizer_parity.py --model MODEL.gguf --gambit .build/release/gambit FILE...

A `.jsonl` file has one document a line, in `text`; any other file is one document. Without torch and
transformers, `--expected` compares with the first 64 bits of the SHA-256 of each document's ids, which
`--write-expected` stored:

    python tokenizer_parity.py --model … --gambit … --expected Tests/TokenizersTests/Fixtures/documents.json FILE...

Exits with 1 where a document differs. Written for transformers 5.23.0, tokenizers 0.23.3, gguf 0.19.0.
"""

import argparse
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--gambit", type=pathlib.Path, help="not needed with --write-expected")
    parser.add_argument("--expected", type=pathlib.Path)
    parser.add_argument("--write-expected", type=pathlib.Path)
    parser.add_argument("--separator", default="<|im_end|>", help="a special token that no document contains")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    return parser.parse_args()


def documents(file):
    # From bytes: `read_text` would turn CRLF into LF, `splitlines` cut at U+2028.
    content = file.read_bytes().decode("utf-8", errors="replace")
    if file.suffix != ".jsonl":
        return [content]
    return [json.loads(line)["text"] for line in content.split("\n") if line.strip()]


def gambit_ids(options, texts):
    """Ids by document from one run: special tokens cut the text, so each document stands for itself."""

    def tokenize(*source):
        command = [options.gambit, "tokenize", "--model", options.model, *source, "--json"]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["ids"]

    assert not any(options.separator in text for text in texts), "choose another --separator"
    (separator,) = tokenize("--text", options.separator)
    with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        file.write(options.separator.join(texts).encode())
        file.flush()
        ids = tokenize("--file", file.name)
    result = [[]]
    for token in ids:
        if token == separator:
            result.append([])
        else:
            result[-1].append(token)
    return result


def transformers_tokenizer(model):
    from gguf import GGUFReader
    from tokenizers import pre_tokenizers
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model.parent, gguf_file=model.name)
    if GGUFReader(model).get_field("tokenizer.ggml.pre").contents() == "smollm":
        # The model's own tokenizer.json splits digits first; transformers' GGUF reader leaves that out.
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    return lambda text: tokenizer(text, add_special_tokens=False)["input_ids"]


def digest(ids):
    return hashlib.sha256(" ".join(map(str, ids)).encode()).hexdigest()[:16]


def main():
    options = arguments()
    texts = {file.name: documents(file) for file in options.files}
    if options.expected:
        expected = json.loads(options.expected.read_text())
    else:
        encode = transformers_tokenizer(options.model)
        expected = {name: [digest(encode(text)) for text in group] for name, group in texts.items()}
    if options.write_expected:
        options.write_expected.write_text(json.dumps(expected, indent=0) + "\n")
        return 0

    differing = 0
    for name, group in texts.items():
        actual = [digest(ids) for ids in gambit_ids(options, group)]
        if len(actual) != len(expected[name]):
            print(f"{name}: {len(actual)} documents, {len(expected[name])} expected")
            differing += 1
            continue
        wrong = [index for index, pair in enumerate(zip(actual, expected[name])) if pair[0] != pair[1]]
        differing += len(wrong)
        print(f"{name}: {len(actual) - len(wrong)} of {len(actual)} documents equal", *wrong[:5])
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
