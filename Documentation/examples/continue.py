"""Continues a prompt from a bundle, by the C interface and ctypes: python continue.py LIBRARY BUNDLE PROMPT TOKENS"""

import ctypes
import sys
from ctypes import POINTER, byref, c_char_p, c_double, c_float, c_int32, c_void_p

library = ctypes.CDLL(sys.argv[1])
library.gambit_open.restype, library.gambit_open.argtypes = c_void_p, [c_char_p, c_double, c_int32, c_int32, POINTER(c_void_p)]
library.gambit_feed.argtypes = [c_void_p, POINTER(c_int32), c_int32, c_int32, POINTER(c_void_p)]
library.gambit_encode.argtypes = [c_void_p, c_char_p, POINTER(c_int32), c_int32, POINTER(c_void_p)]
library.gambit_logits.restype, library.gambit_logits.argtypes = POINTER(c_float), [c_void_p]
library.gambit_vocabulary_size.argtypes = library.gambit_close.argtypes = [c_void_p]
error = c_void_p()


def check(ok: bool) -> None:
    if not ok:
        sys.exit(ctypes.string_at(error).decode() if error else "the prompt does not fit")


model = library.gambit_open(sys.argv[2].encode(), -1, 512, 0, byref(error))
check(bool(model))
tokens = (c_int32 * 256)()
count = library.gambit_encode(model, sys.argv[3].encode(), tokens, 256, byref(error))
check(1 <= count <= 256)
# The prompt is read dense but for its last token, all that follows is decoded sparse.
check(library.gambit_feed(model, tokens, count - 1, 0, byref(error)) == 0)
following = c_int32(tokens[count - 1])
for _ in range(int(sys.argv[4])):
    check(library.gambit_feed(model, byref(following), 1, 1, byref(error)) == 0)
    logits = library.gambit_logits(model)[: library.gambit_vocabulary_size(model)]
    following.value = logits.index(max(logits))
    print(following.value)
library.gambit_close(model)
