"""Tells the kind of a file from its bytes; the name only chooses between kinds of text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO, Final

from documents.errors import MislabelledFile, UnsupportedFile

TEXT: Final = "text/plain"
MARKDOWN: Final = "text/markdown"
HTML: Final = "text/html"
CSV: Final = "text/csv"
TSV: Final = "text/tab-separated-values"
JSON: Final = "application/json"
PDF: Final = "application/pdf"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

SUPPORTED: Final = "plain text, Markdown, HTML, PDF, DOCX, XLSX, CSV, TSV and JSON"
TEXT_SUFFIXES: Final = {
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".csv": CSV,
    ".tsv": TSV,
    ".json": JSON,
    ".jsonl": JSON,
    ".ndjson": JSON,
}
SAMPLE_BYTES = 2**16
HTML_START = re.compile(rb"(?:\s+|<\?xml[^>]*>|<!--.*?-->)*<(?:!doctype\s+html|html|head|body)[\s>]", re.I | re.S)
TEXT_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")
CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"
CONTROL_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of binary file. `media_type` is empty for kinds that are only recognised, not read."""

    label: str
    suffixes: tuple[str, ...] = ()
    media_type: str = ""


PDF_KIND = Kind("a PDF document", (".pdf",), PDF)
WORD = Kind("a Word document", (".docx", ".docm", ".dotx"), DOCX)
EXCEL = Kind("an Excel workbook", (".xlsx", ".xlsm"), XLSX)
EXCEL_BINARY = Kind("a binary Excel workbook", (".xlsb",))
POWERPOINT = Kind("a PowerPoint presentation", (".pptx", ".ppsx"))
OPEN_TEXT = Kind("an OpenDocument text", (".odt",))
OPEN_SHEET = Kind("an OpenDocument spreadsheet", (".ods",))
OPEN_SLIDES = Kind("an OpenDocument presentation", (".odp",))
EPUB = Kind("an EPUB book", (".epub",))
ZIP = Kind("a ZIP archive", (".zip", ".jar", ".apk"))

# What a ZIP archive's file names say it is; the first that occurs decides.
IN_ZIP = (
    (b"mimetypeapplication/vnd.oasis.opendocument.text", OPEN_TEXT),
    (b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", OPEN_SHEET),
    (b"mimetypeapplication/vnd.oasis.opendocument.presentation", OPEN_SLIDES),
    (b"mimetypeapplication/epub+zip", EPUB),
    (b"word/", WORD),
    (b"xl/workbook.bin", EXCEL_BINARY),
    (b"xl/", EXCEL),
    (b"ppt/", POWERPOINT),
)
# What a file begins with.
SIGNATURES = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind("a password-protected or old Office file", (".doc", ".xls", ".ppt"))),
    (rb"{\rtf", Kind("a Rich Text document", (".rtf",))),
    (b"\x89PNG\r\n\x1a\n", Kind("a PNG image", (".png",))),
    (b"\xff\xd8\xff", Kind("a JPEG image", (".jpg", ".jpeg"))),
    (b"GIF8", Kind("a GIF image", (".gif",))),
    (b"II*\0", Kind("a TIFF image", (".tif", ".tiff"))),
    (b"MM\0*", Kind("a TIFF image", (".tif", ".tiff"))),
    (b"RIFF", Kind("an image, sound or film (RIFF)", (".webp", ".wav", ".avi"))),
    (b"OggS", Kind("a sound or film (Ogg)", (".ogg", ".oga", ".ogv"))),
    (b"ID3", Kind("an MP3 sound", (".mp3",))),
    (b"\x7fELF", Kind("a program (ELF)")),
    (b"MZ", Kind("a Windows program", (".exe", ".dll"))),
    (b"\x1f\x8b", Kind("a gzip archive", (".gz", ".tgz"))),
    (b"BZh", Kind("a bzip2 archive", (".bz2",))),
    (b"\xfd7zXZ\0", Kind("an xz archive", (".xz",))),
    (b"\x28\xb5\x2f\xfd", Kind("a Zstandard archive", (".zst",))),
    (b"7z\xbc\xaf\x27\x1c", Kind("a 7-Zip archive", (".7z",))),
    (b"Rar!\x1a\x07", Kind("a RAR archive", (".rar",))),
    (b"SQLite format 3\0", Kind("an SQLite database", (".sqlite", ".sqlite3"))),
)
KINDS = (PDF_KIND, ZIP, *(kind for _, kind in IN_ZIP), *(kind for _, kind in SIGNATURES))
PROMISED = {suffix: kind for kind in KINDS for suffix in kind.suffixes}


def detect(file: IO[bytes], *, filename: str) -> str:
    """The media type of a file, from the first and the last 64 KiB of it; `file` is rewound.

    Raises:
        MislabelledFile: the name promises a kind of binary file that the bytes are not.
        UnsupportedFile: the bytes are of a kind that is not read here.
    """
    head, tail = _ends(file)
    kind = _recognise(head, tail)
    suffix = PurePath(filename).suffix.lower()
    promised = PROMISED.get(suffix)
    if promised and (kind is None or kind.label != promised.label):
        found = f"its content is {kind.label}" if kind else "its content is not"
        raise MislabelledFile(f"The name ends in {suffix}, like {promised.label}, but {found}.")
    if kind and kind.media_type:
        return kind.media_type
    if kind or looks_binary(head) or looks_binary(tail, continues=head):
        looks_like = f"This is {kind.label}" if kind else "This is a binary file of an unknown kind"
        raise UnsupportedFile(f"{looks_like}; what can be read is {SUPPORTED}.")
    if HTML_START.match(head):
        return HTML
    return TEXT_SUFFIXES.get(suffix, TEXT)


def looks_binary(data: bytes, *, continues: bytes = b"") -> bool:
    """Whether the bytes cannot be text in any encoding read here.

    Text has no NUL (but for UTF-16 and UTF-32, which must begin with a byte order mark) and hardly any other control
    character.

    Args:
        continues: the beginning of the file, when `data` is from further on.
    """
    if (continues or data).startswith(TEXT_MARKS) or not data:
        return False
    return b"\0" in data or len(data) - len(data.translate(None, CONTROLS)) > CONTROL_SHARE * len(data)


def _ends(file: IO[bytes]) -> tuple[bytes, bytes]:
    file.seek(0)
    head = file.read(SAMPLE_BYTES)
    size = file.seek(0, 2)
    file.seek(max(len(head), size - SAMPLE_BYTES))
    tail = file.read(SAMPLE_BYTES)
    file.seek(0)
    return head, tail


def _recognise(head: bytes, tail: bytes) -> Kind | None:
    if head.lstrip().startswith(b"%PDF-") or (b"%PDF-" in head[:1024] and looks_binary(head)):
        return PDF_KIND  # the standard lets up to 1 KiB of anything stand before the mark
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return next((kind for mark, kind in IN_ZIP if mark in head or mark in tail), ZIP)
    if head[4:8] == b"ftyp":
        return Kind("an image or film (MP4, HEIC)", (".mp4", ".mov", ".heic"))
    for mark, kind in SIGNATURES:
        if head.startswith(mark) and (not mark.isalnum() or looks_binary(head)):  # a text may begin with those letters
            return kind
    return None
