"""Writes Sources/Tokenizers/UnicodeRanges.swift: which scalars Hugging Face `tokenizers` takes for
letters, numbers and white space. Made with tokenizers 0.23.3.

    python make_unicode_ranges.py ../../../Sources/Tokenizers/UnicodeRanges.swift
"""

import sys

import tokenizers
from tokenizers import Regex
from tokenizers.pre_tokenizers import Digits, Split

SCALARS = [chr(value) for value in range(0x110000) if not 0xD800 <= value < 0xE000]
BLOCK = 4096


def matching(pre_tokenizer, separator):
    """Scalars that `pre_tokenizer` isolates from `separator`, a scalar which it doesn't match."""
    found = set()
    for start in range(0, len(SCALARS), BLOCK):
        text = separator.join(SCALARS[start : start + BLOCK])
        pieces = [piece for piece, _ in pre_tokenizer.pre_tokenize_str(text)]
        found.update(ord(piece) for piece in pieces if len(piece) == 1 and piece != separator)
    return found


def ranges(values):
    result = []
    for value in sorted(values):
        if result and result[-1][1] == value - 1:
            result[-1][1] = value
        else:
            result.append([value, value])
    return result


def declaration(name, comment, values):
    lines = [f"  /// {comment}", f"  static let {name}: [ClosedRange<Int>] = ["]
    line = "   "
    for first, last in ranges(values):
        item = f" {first:#x}...{last:#x},"
        if len(line) + len(item) > 120:
            lines.append(line)
            line = "   "
        line += item
    return "\n".join([*lines, line, "  ]"])


letters = matching(Split(Regex(r"\p{L}"), "isolated"), "\n")
numbers = matching(Split(Regex(r"\p{N}"), "isolated"), "\n")
digits = matching(Digits(individual_digits=True), "\n")
whitespace = matching(Split(Regex(r"\s"), "isolated"), "a")
assert numbers <= digits and max(letters | digits | whitespace) < 0x40000

with open(sys.argv[1], "w") as file:
    file.write(
        f"// Written by Tests/TokenizersTests/Fixtures/make_unicode_ranges.py, tokenizers {tokenizers.__version__}.\n\n"
        "/// The scalars that Hugging Face `tokenizers` takes for letters, numbers and white space.\n"
        "enum UnicodeRanges {\n"
        + "\n\n".join(
            [
                declaration("letters", r"Oniguruma's `\p{L}`.", letters),
                declaration("numbers", r"Oniguruma's `\p{N}`.", numbers),
                declaration("recentNumbers", "Rust's `char::is_numeric` beyond `numbers`.", digits - numbers),
                declaration("whitespace", r"Oniguruma's `\s`.", whitespace),
            ]
        )
        + "\n}\n"
    )
