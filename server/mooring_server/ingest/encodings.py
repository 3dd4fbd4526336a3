"""In which encoding a text file is.

The first of these that answers: its byte order mark; UTF-16 by its NULs, which ASCII has there in every other
byte; UTF-8 where the whole file is valid; else a guess among the encodings that people still use, made from
the lines that are not ASCII. Tables are mostly ASCII, so a guess needs evidence: without it, it is Windows-
1252, which spreadsheets save without asking.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from mooring_server.ingest.limits import unreadable
from mooring_server.ingest.options import no_such

_CHUNK_BYTES = 2**20
_SAMPLE_BYTES = 2**15
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like the next one
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DEFAULT = "cp1252"
_MULTIBYTE = ("cp932", "euc_jp", "gb18030", "big5", "cp949")
# Letters beyond ASCII among ASCII's.
_LATIN = ("cp1252", "cp1250", "cp1254", "cp1257", "iso8859_2", "cp850", "mac_roman")
# Words of no ASCII letters.
_OTHER = ("cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp866")
_ENCODINGS = frozenset(
    (*_MULTIBYTE, *_LATIN, *_OTHER, "ascii", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be",
     "utf-32", "utf-32-le", "utf-32-be", "cp1258", "cp437", "cp852", "cp858", "cp874", "koi8-u", "koi8-r",
     "mac-roman", "gbk", "gb2312", "big5hkscs", "shift_jis", "iso2022_jp", "euc_kr",
     *(f"iso8859-{part}" for part in range(1, 17) if part != 12))
)  # fmt: skip

_WORD = re.compile(rb"[A-Za-z\x80-\xff]{2,}")
_ASCII_LETTER = re.compile(rb"[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec's name, and whether it was guessed."""

    codec: str
    guessed: bool = False

    @property
    def name(self) -> str:
        """What people and `ReadOptions.encoding` call it."""
        return "utf-8" if self.codec == "utf-8-sig" else self.codec.replace("_", "-")

    @property
    def notes(self) -> list[str]:
        """Says which one was taken where it is not UTF-8."""
        if self.name == "utf-8":
            return []
        how = "; where letters look wrong, import it again and name its encoding" if self.guessed else ""
        return [f"The file is not UTF-8: it was read as {self.name}{how}."]


def encoding_of(path: Path, wanted: str = "") -> Encoding:
    """The encoding of a text file; the wanted one where one is wanted.

    Raises:
        InvalidArgument: nobody knows the wanted one; UNREADABLE_INVENTORY for what is no text in it, or none
            at all.
    """
    with path.open("rb") as file:
        start = file.read(_CHUNK_BYTES)
    marked = next((codec for mark, codec in _MARKS if start.startswith(mark)), None)
    if wanted:
        codec = _known(wanted)
        if codec == "utf-8" and marked == "utf-8-sig":
            codec = marked
        if not _decodes(path, codec):
            raise unreadable(f"the file is no text in {wanted}; leave `encoding` out, or name another")
        return Encoding(codec)
    if marked is not None and _decodes(path, marked):
        return Encoding(marked)
    if (wide := _wide(start)) and _decodes(path, wide):
        return Encoding(wide)
    if _decodes(path, "utf-8"):
        return Encoding("utf-8")
    for codec in dict.fromkeys((_guess(_sample(path)), _DEFAULT)):
        if _decodes(path, codec):
            return Encoding(codec, guessed=True)
    raise unreadable(
        "the file is neither text nor a workbook that can be read; "
        "save the inventory as .xlsx or as CSV in UTF-8"
    )


def _known(wanted: str) -> str:
    try:
        codec = codecs.lookup(wanted).name if len(wanted) < 40 else ""
    except (LookupError, ValueError):
        codec = ""
    if codec not in _ENCODINGS:
        raise no_such("encoding", "encoding", wanted, sorted(name.replace("_", "-") for name in _ENCODINGS))
    return codec


def _decodes(path: Path, codec: str) -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _wide(start: bytes) -> str:
    """UTF-16 without its mark: a good part of one half of its bytes is NUL, and nothing of the other."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    enough = len(start) // 8
    if odd > enough and not even:
        return "utf-16-le"
    if even > enough and not odd:
        return "utf-16-be"
    return ""


def _sample(path: Path) -> bytes:
    """The first lines that are not ASCII."""
    return b"".join(_lines_beyond_ascii(path))[:_SAMPLE_BYTES]


def _lines_beyond_ascii(path: Path) -> Iterator[bytes]:
    size = 0
    with path.open("rb") as file:
        # A line may be as long as the file.
        while size < _SAMPLE_BYTES and (line := file.readline(_SAMPLE_BYTES)):
            if not line.isascii():
                size += len(line)
                yield line


def _guess(sample: bytes) -> str:
    # It is large, and hardly a file needs it.
    from charset_normalizer import from_bytes

    words = [word for word in _WORD.findall(sample) if not word.isascii()]
    if not words:
        return _DEFAULT
    foreign = sum(_ASCII_LETTER.search(word) is None for word in words)
    candidates = _OTHER if 2 * foreign > len(words) else _LATIN
    matches = list(from_bytes(sample, cp_isolation=[*_MULTIBYTE, *candidates], enable_fallback=False))
    if matches and matches[0].encoding in _MULTIBYTE:
        return matches[0].encoding
    # How much each is like a language; encodings that give the same text are one match.
    likeness = {_DEFAULT: 0.0} | {
        codec: match.coherence
        for match in matches
        for codec in (match.encoding, *match.could_be_from_charset)
    }
    likely = [codec for codec in candidates if codec in likeness] or [_DEFAULT]
    return min(likely, key=lambda codec: (_odd_words(words, codec), -likeness[codec]))


def _odd_words(words: list[bytes], codec: str) -> int:
    """How many words have a sign in the place of a letter, or a capital after a small letter."""
    return sum(_is_odd(word.decode(codec, "replace")) for word in words)


def _is_odd(word: str) -> bool:
    # `m²` and `Windows®` end in signs, and quotes stand at both ends.
    signs = any(not letter.isalpha() and letter != "\u2019" for letter in word[1:-1])
    capitals = any(left.islower() and right.isupper() for left, right in pairwise(word))
    return signs or capitals or unicodedata.category(word[0])[0] in "SN"
