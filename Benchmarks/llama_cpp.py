"""llama.cpp's own C interface, called inside the shared library that the xllamacpp wheel brings.

The wheel's Python classes reach llama.cpp only through its server, which adds a queue, a sampling chain over the whole
vocabulary and text to every token. The library exports the C functions as well; through them a token is one call of
llama_decode and the largest of its logits, as in llama.cpp's own llama-bench.

No structure is declared here, because none is needed: parameters are taken as llama.cpp's defaults and handed back as
opaque bytes, with room to spare, which the C calling conventions of x86-64 and AArch64 allow. The one field that is
written, the context's first, is checked against the default that it has and the size that comes of it.
"""

import ctypes
import importlib.metadata
from ctypes import POINTER, c_bool, c_char_p, c_float, c_int32, c_uint32, c_void_p
from pathlib import Path

import numpy as np
import xllamacpp
from xllamacpp import xllamacpp as extension

CONTEXT_STEP = 256
DEFAULT_CONTEXT = 512


class Opaque(ctypes.Structure):
    """A structure of the library's, none of which is larger than this."""

    _fields_ = [("bytes", ctypes.c_char * 1024)]


LogFunction = ctypes.CFUNCTYPE(None, ctypes.c_int, c_char_p, c_void_p)

SIGNATURES = {
    "llama_backend_init": (None, []),
    "llama_log_set": (None, [LogFunction, c_void_p]),
    "llama_print_system_info": (c_char_p, []),
    "llama_version": (c_char_p, []),
    "llama_model_default_params": (Opaque, []),
    "llama_model_load_from_file": (c_void_p, [c_char_p, Opaque]),
    "llama_model_free": (None, [c_void_p]),
    "llama_model_get_vocab": (c_void_p, [c_void_p]),
    "llama_context_default_params": (Opaque, []),
    "llama_init_from_model": (c_void_p, [c_void_p, Opaque]),
    "llama_free": (None, [c_void_p]),
    "llama_n_ctx": (c_uint32, [c_void_p]),
    "llama_set_n_threads": (None, [c_void_p, c_int32, c_int32]),
    "llama_n_threads": (c_int32, [c_void_p]),
    "llama_n_threads_batch": (c_int32, [c_void_p]),
    "llama_get_memory": (c_void_p, [c_void_p]),
    "llama_memory_clear": (None, [c_void_p, c_bool]),
    "llama_batch_get_one": (Opaque, [POINTER(c_int32), c_int32]),
    "llama_decode": (c_int32, [c_void_p, Opaque]),
    "llama_get_logits_ith": (c_void_p, [c_void_p, c_int32]),
    "llama_vocab_n_tokens": (c_int32, [c_void_p]),
    "llama_vocab_is_eog": (c_bool, [c_void_p, c_int32]),
    "llama_tokenize": (c_int32, [c_void_p, c_char_p, c_int32, POINTER(c_int32), c_int32, c_bool, c_bool]),
    "llama_detokenize": (c_int32, [c_void_p, POINTER(c_int32), c_int32, c_char_p, c_int32, c_bool, c_bool]),
}


def library() -> ctypes.CDLL:
    loaded = ctypes.CDLL(extension.__file__)
    for name, (result, arguments) in SIGNATURES.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


@LogFunction
def silence(level: int, text: bytes, data: int) -> None:
    pass


class Llama:
    """A model and one context, on the processor: weights mapped, attention and everything else as llama.cpp's
    defaults have it, `threads` threads for prompts and single tokens alike."""

    def __init__(self, path: Path, threads: int, context: int):
        self.library = library()
        self.library.llama_log_set(silence, None)
        self.library.llama_backend_init()
        self.model = self.library.llama_model_load_from_file(bytes(path), self.library.llama_model_default_params())
        if not self.model:
            raise SystemExit(f"llama.cpp cannot load {path}; is it a whole GGUF file?")
        self.context = self.library.llama_init_from_model(self.model, self.context_parameters(context))
        if not self.context or self.library.llama_n_ctx(self.context) < context:
            raise SystemExit(f"llama.cpp cannot make a context of {context} tokens")
        self.library.llama_set_n_threads(self.context, threads, threads)
        self.vocabulary = self.library.llama_model_get_vocab(self.model)
        self.vocabulary_size = self.library.llama_vocab_n_tokens(self.vocabulary)
        self.ends = [token for token in range(self.vocabulary_size)
                     if self.library.llama_vocab_is_eog(self.vocabulary, token)]

    def context_parameters(self, tokens: int) -> Opaque:
        parameters = self.library.llama_context_default_params()
        size = c_uint32.from_buffer(parameters)
        if size.value != DEFAULT_CONTEXT:
            raise SystemExit("llama.cpp's context parameters no longer begin with the context's size")
        size.value = -(-tokens // CONTEXT_STEP) * CONTEXT_STEP
        return parameters

    def tokens(self, text: str) -> list[int]:
        encoded = text.encode()
        room = (c_int32 * (len(encoded) + 8))()
        count = self.library.llama_tokenize(self.vocabulary, encoded, len(encoded), room, len(room), True, True)
        return room[:count]

    def text(self, tokens: list[int]) -> str:
        room = ctypes.create_string_buffer(64 * len(tokens) + 64)
        ids = (c_int32 * len(tokens))(*tokens)
        length = self.library.llama_detokenize(self.vocabulary, ids, len(ids), room, len(room), False, True)
        return room.raw[:max(length, 0)].decode(errors="replace")

    def forget(self) -> None:
        """Empties the KV cache."""
        self.library.llama_memory_clear(self.library.llama_get_memory(self.context), True)

    def step(self, batch: Opaque) -> int:
        """Runs a batch behind what the KV cache holds; the likeliest next token that is no end of text."""
        if self.library.llama_decode(self.context, batch) != 0:
            raise SystemExit("llama_decode failed")
        address = self.library.llama_get_logits_ith(self.context, -1)
        logits = np.frombuffer((c_float * self.vocabulary_size).from_address(address), dtype=np.float32)
        logits[self.ends] = -np.inf
        return int(logits.argmax())

    def batch(self, tokens: ctypes.Array) -> Opaque:
        """Refers to `tokens`, which must live as long and may be changed between steps."""
        return self.library.llama_batch_get_one(tokens, len(tokens))

    def close(self) -> None:
        self.library.llama_free(self.context)
        self.library.llama_model_free(self.model)

    def build(self) -> dict:
        return {
            "package": f"xllamacpp {importlib.metadata.version('xllamacpp')}",
            "version": self.library.llama_version().decode(),
            "compiler": xllamacpp.BUILD_INFO["compiler"],
            "system_info": self.library.llama_print_system_info().decode().strip(" |"),
            "threads": self.library.llama_n_threads(self.context),
            "threads_batch": self.library.llama_n_threads_batch(self.context),
        }
