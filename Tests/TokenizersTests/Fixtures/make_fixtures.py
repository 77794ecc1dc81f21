"""Writes the fixtures of TokenizersTests with Hugging Face `tokenizers` 0.23.3 and `sentencepiece` 0.2.3, in this folder:

FAMILY.tokenizer.json   a small tokenizer with that family's real pre-tokenizer
expected.json           for each text: the words and the ids that each tokenizer gives
decoded.json            what sequences of ids that aren't all valid UTF-8 decode to
sentencepiece.json      a SentencePiece vocabulary as GGUF has it, and the ids that `sentencepiece` itself gives

    python make_fixtures.py
"""

import io
import json
import pathlib
import random

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
RANDOM = random.Random(7)

TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
HEAD = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"

PROSE = """The lighthouse keeper's daughter didn't know what they'd found there. We've seen 1234 ships since 1987,
and I'm sure you'll see more; she's the one who'd say so. There are other things in the other rooms: the one with
the theme of the sea, the other with letters. Über den Dächern fließt das Licht, où les élèves étudient l'été.
Привет, как дела? Всё хорошо, спасибо. 日本語の文章です。中文也在这里。 한국어 문장입니다.
    def function(value):
        return value * 2  # 3.14159
Straße naïve façade coöperate résumé — “quoted” … 👍🏽 ☃ ½ ² Ⅷ
"""

PIECES = [
    *"aZßeſéıИ日한ㄱ가½²Ⅷ٣१1239'’\"-.,;:!?_/\\()[]{}<>|@#$%^&*+=~`",
    *" \t\n\r\v\f\u00a0\u0085\u2003\u2028\u3000\u200b\u200d\ufeff",
    *"\u0300\u0301\u0308\u0338\u1100\u1161\u11a8\u0000\u0004\u001f\u007f\ufffd\uffff\ue000",
    *"\u088f\u1c89\U00011de0\U00011de9\U000323b0\U00033400\U0010ffff\U0001f468\U0001f3fd\u2764\ufe0f",
    "  ", "   ", "\r\n", "\n\n", " \n ", "'s", "'S", "'ſ", "'t", "'RE", "'ve", "'Ve", "'m", "'ll", "'lL", "'d", "'x", "''s",
    "the", " the", "The", "1234567", " 12", "  7", "\n3", "e\u0301", "A\u030a", "\u212b", "\u212a", "\u2126", "zqxj", " zqxj",
    "<|end|>", "<|end|>x", "<|en", "<tool>", " <tool> ", "<|end", "|>", "<<|end|>>",
]

TEXTS = [
    "", " ", "  ", "\n", "\r\n", "a", " a", PROSE, PROSE.replace("\n", "\r\n"),
    "I'LL don'T we'Re it'ſ o'clock 'tis ''s 's's 're", "x  12   345\n\n6789\t0", "3.14159 1,000,000 ٣٤٥ १२३ ½² Ⅷ",
    "e\u0301\u0308 \u1100\u1161\u11a8 \u212b a\u0338<\u0338<|end|>\u0338", "👨‍👩‍👧‍👦 👍🏽 🇯🇵 ❤️ ☃",
    "日本語の文章です。中文也在这里。 한국어", "a\u00a0b\u2003c\u3000d\u0085e\u2028f\u200bg", "tabs\t\tand \t mixed \n\n\n lines  \r\n\r\n  x",
    "<|end|>", "x<|end|>y", "<|end|><|end|>", " <|end|> ", "<|end", "<<|end|>x>", "<tool>call</tool>", "zqxj zqxj zqxjzqxj",
    "a" * 300, " " * 100, "é" * 99, "\n" * 40 + "x", "ab" * 150 + "1" * 50, "\u0000\u0001\u0004\u0013\u001f\u007f\u0080\u009f",
    "".join(chr(value) for value in range(0x20, 0x250)), "\ufeffBOM \ufffd \ue000 \uffff \U0010ffff",
    "\u088f\u1c89 \U00011de0\U00011de9 x\U000323b0\U00033400",
] + ["".join(RANDOM.choices(PIECES, k=RANDOM.randint(2, 24))) for _ in range(160)]


def split(expression):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(expression), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])  # fmt: skip


def train(pre_tokenizer, normalizer=None, alphabet=pre_tokenizers.ByteLevel.alphabet()):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(vocab_size=420, initial_alphabet=sorted(alphabet), show_progress=False)
    tokenizer.train_from_iterator([PROSE], trainer)
    return tokenizer


def edited(tokenizer, edit):
    content = json.loads(tokenizer.to_str())
    edit(content)
    return Tokenizer.from_str(json.dumps(content)), content


def gpt2():
    tokenizer = train(pre_tokenizers.ByteLevel(add_prefix_space=False))
    tokenizer.add_special_tokens(["<|end|>"])

    def old_merges(content):
        content["model"]["merges"] = [" ".join(pair) for pair in content["model"]["merges"]]

    return edited(tokenizer, old_merges)


def smollm():
    # Like the real model's, this vocabulary lacks some bytes.
    pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
    ])  # fmt: skip
    tokenizer = train(pre_tokenizer, alphabet=[chr(value) for value in range(0x21, 0x7F)])
    tokenizer.add_special_tokens(["<|end|>"])
    return edited(tokenizer, lambda content: None)


def llama_bpe():
    def unmerged_word(content):
        # No merges lead to this token: only `ignore_merges` finds it.
        content["model"]["ignore_merges"] = True
        content["model"]["vocab"]["zqxj"] = len(content["model"]["vocab"])

    tokenizer, _ = edited(train(split(HEAD + r"\p{N}{1,3}" + TAIL)), unmerged_word)
    tokenizer.add_special_tokens(["<|begin|>", "<|end|>"])
    begin = tokenizer.token_to_id("<|begin|>")
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|begin|> $A", special_tokens=[("<|begin|>", begin)]),
    ])  # fmt: skip
    return edited(tokenizer, lambda content: None)


def qwen2():
    tokenizer = train(split(HEAD + r"\p{N}" + TAIL), normalizers.NFC())
    tokenizer.add_special_tokens(["<|end|>", "<|end|>x"])
    tokenizer.add_tokens([AddedToken("<tool>", normalized=False)])
    return edited(tokenizer, lambda content: None)


def sentencepiece_model():
    """A BPE vocabulary with byte fallback, made as Gemma's was: spaces are kept, and runs of them are tokens."""
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(PROSE.splitlines() * 4), model_writer=written, model_type="bpe", vocab_size=520,
        byte_fallback=True, character_coverage=0.98, normalization_rule_name="identity", add_dummy_prefix=False,
        remove_extra_whitespaces=False, split_by_whitespace=False, bos_id=2, eos_id=1, pad_id=0, unk_id=3,
        control_symbols=["<|end|>"], user_defined_symbols=["<tool>", "\n", "\n\n", "\u2581\u2581", "\u2581" * 3],
        num_threads=1, minloglevel=2)  # fmt: skip
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(written.getvalue())
    return model


def sentencepiece_tokenizer():
    """The same vocabulary for `tokenizers`: merges as transformers extracts them from scores."""
    pieces = sentencepiece_model().pieces
    normal = {piece.piece: piece.score for piece in pieces if piece.type == piece.NORMAL}
    merges = [
        (score, text[:cut], text[cut:])
        for text, score in normal.items()
        for cut in range(1, len(text))
        if text[:cut] in normal and text[cut:] in normal
    ]
    merges.sort(key=lambda merge: (merge[0], len(merge[1]), len(merge[2])), reverse=True)
    # llama.cpp's converter writes tokens that are matched in the text as they stand there.
    texts = [piece.piece.replace("\u2581", " ") if piece.type == piece.USER_DEFINED else piece.piece for piece in pieces]
    vocabulary = {text: index for index, text in enumerate(texts)}
    tokenizer = Tokenizer(
        models.BPE(vocabulary, [(left, right) for _, left, right in merges], byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    for text, piece in zip(texts, pieces):
        if piece.type in (piece.CONTROL, piece.UNKNOWN):
            tokenizer.add_special_tokens([AddedToken(text, normalized=False, special=True)])
        elif piece.type == piece.USER_DEFINED:
            tokenizer.add_tokens([AddedToken(text, normalized=False)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 2)])
    return edited(tokenizer, lambda content: None)


def write_sentencepiece(tokenizer):
    """What GGUF holds of the vocabulary, and what SentencePiece's own library gives for all texts."""
    model = sentencepiece_model()
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
    texts = [text for text in TEXTS if "<|end|>" not in text and "\0" not in text]
    ids = [processor.encode(text) for text in texts]
    same = sum(tokenizer.encode(text, add_special_tokens=False).ids == of for text, of in zip(texts, ids))
    print(f"sentencepiece and tokenizers agree on {same} of {len(texts)} texts")
    user = model.SentencePiece.USER_DEFINED
    content = {
        "tokens": [piece.piece.replace("\u2581", " ") if piece.type == user else piece.piece for piece in model.pieces],
        "scores": [piece.score for piece in model.pieces],
        "types": [piece.type for piece in model.pieces],
        "texts": [{"text": text, "ids": of} for text, of in zip(texts, ids)],
    }
    (HERE / "sentencepiece.json").write_text(json.dumps(content, ensure_ascii=True, separators=(",", ":")) + "\n")


def decode_bytes(tokenizer, ids, skipping):
    """Bytes first, then text: `tokenizers` makes each byte of a run U+FFFD where only one of them is wrong."""
    special = {index for index, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    joined = b""
    for index in ids:
        token = tokenizer.id_to_token(index)
        if index in special:
            joined += b"" if skipping else token.encode()
        elif len(token) == 6 and token.startswith("<0x"):
            joined += bytes([int(token[3:5], 16)])
        else:
            joined += token.replace("\u2581", " ").encode()
    text = joined.decode(errors="replace")
    theirs = tokenizer.decode(ids, skip_special_tokens=skipping)
    assert theirs == text or "\ufffd" in text, (ids, theirs, text)
    return text


def main():
    expected = [{"text": text, "words": {}, "ids": {}, "plain": {}} for text in TEXTS]
    decoded = {}
    for make in (gpt2, smollm, llama_bpe, qwen2, sentencepiece_tokenizer):
        tokenizer, content = make()
        family = make.__name__.removesuffix("_tokenizer").replace("_", "-")
        (HERE / f"{family}.tokenizer.json").write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")))
        for case in expected:
            # Words by where they end, counted in scalars; ids with special tokens found, and taken as text.
            if tokenizer.pre_tokenizer:
                words = tokenizer.pre_tokenizer.pre_tokenize_str(case["text"])
                case["words"][family] = [end for _, (_, end) in words]
            else:
                case["words"][family] = [len(case["text"])] if case["text"] else []
            case["ids"][family] = tokenizer.encode(case["text"], add_special_tokens=False).ids
            tokenizer.encode_special_tokens = True
            plain = tokenizer.encode(case["text"], add_special_tokens=False).ids
            tokenizer.encode_special_tokens = False
            if plain != case["ids"][family]:
                case["plain"][family] = plain
        size = tokenizer.get_vocab_size()
        samples = [[RANDOM.randrange(size) for _ in range(RANDOM.randint(1, 12))] for _ in range(60)]
        decode = tokenizer.decode
        if family == "sentencepiece":
            write_sentencepiece(tokenizer)
            decode = lambda ids, skip_special_tokens: decode_bytes(tokenizer, ids, skip_special_tokens)
        decoded[family] = [
            {
                "ids": ids,
                "text": decode(ids, skip_special_tokens=False),
                "skipping": decode(ids, skip_special_tokens=True),
            }
            for ids in samples
        ]
    for name, content in (("expected", expected), ("decoded", decoded)):
        (HERE / f"{name}.json").write_text(json.dumps(content, ensure_ascii=True, separators=(",", ":")))


main()
