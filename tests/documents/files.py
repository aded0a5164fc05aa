"""Real files for tests, made on the spot: well-formed ones, and those that attackers and accidents make."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import docx
import openpyxl
from PIL import Image

with warnings.catch_warnings():
    # fpdf2 warns at import about its own future.
    warnings.simplefilter("ignore", DeprecationWarning)
    from fpdf import FPDF

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DOCUMENT_XML = "word/document.xml"


def pdf(*pages: str, password: str | None = None) -> bytes:
    """A PDF with one text a page."""
    document = FPDF()
    document.set_font("Helvetica", size=12)
    for text in pages:
        document.add_page()
        document.multi_cell(0, 8, text)
    if password is not None:
        document.set_encryption(owner_password="owner", user_password=password)
    return bytes(document.output())


def scanned_pdf() -> bytes:
    """A PDF whose only page is a picture."""
    document = FPDF()
    document.add_page()
    document.image(Image.effect_noise((200, 200), 50))
    return bytes(document.output())


def pdf_bomb(*, unpacked_bytes: int) -> bytes:
    """A PDF whose page content is a tiny stream that unpacks, twice, to megabytes of drawing."""
    block = b"0 0 m 9 9 l S " * 1_000
    compressor = zlib.compressobj(9)
    once = b"".join(compressor.compress(block) for _ in range(unpacked_bytes // len(block))) + compressor.flush()
    content = zlib.compress(once, 9)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R >>",
        b"<< /Filter [/FlateDecode /FlateDecode] /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    ]
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, 2)
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
    out.write(b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start)
    return out.getvalue()


def word(*blocks: str | tuple[str, int] | list[Sequence[str]]) -> bytes:
    """A DOCX: a text is a paragraph, a text with a level is a heading, a list of rows is a table."""
    document = docx.Document()
    for block in blocks:
        match block:
            case str():
                document.add_paragraph(block)
            case (str(text), int(level)):
                document.add_heading(text, level)
            case list():
                table = document.add_table(rows=0, cols=len(block[0]))
                for row in block:
                    for cell, text in zip(table.add_row().cells, row, strict=True):
                        cell.text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def excel(**sheets: Iterable[Sequence[Any]]) -> bytes:
    """An XLSX with its sheets by name."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    """A ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    """The members of a ZIP archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def word_bomb(*, unpacked_bytes: int, claimed_bytes: int | None = None) -> bytes:
    """A small DOCX whose text unpacks to `unpacked_bytes` of spaces; its directory may claim less."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in unzipped(word("A harmless beginning.")).items():
            before, end, after = content.partition(b"</w:body>")
            with archive.open(name, "w") as part:
                part.write(before)
                if name == DOCUMENT_XML:
                    for _ in range(unpacked_bytes // 2**20):
                        part.write(b" " * 2**20)
                part.write(end + after)
    data = out.getvalue()
    return data if claimed_bytes is None else _with_claim(data, DOCUMENT_XML, claimed_bytes)


def _with_claim(data: bytes, name: str, size: int) -> bytes:
    """The archive with another size in both of a member's headers."""
    changed = bytearray(data)
    for mark, size_at, name_at in ((b"PK\x03\x04", 22, 30), (b"PK\x01\x02", 24, 46)):
        at = -1
        while (at := data.find(mark, at + 1)) >= 0:
            if data[at + name_at :].startswith(name.encode()):
                struct.pack_into("<I", changed, at + size_at, size)
    return bytes(changed)
