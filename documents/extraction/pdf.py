"""Reads PDF documents with PDFium, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pypdfium2 as pdfium
from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY

from documents.errors import ExtractionError

from .reasons import DAMAGED, ENCRYPTED, SCANNED

if TYPE_CHECKING:
    from pathlib import Path

    from .builder import TextBuilder


def read_pdf(path: Path, out: TextBuilder) -> None:
    """The text of every page and where each page lies.

    Raises:
        ExtractionError: it needs a password, has too many pages, no text at all, or PDFium cannot read it.
    """
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as exc:
        locked = getattr(exc, "err_code", None) in {FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY}
        raise ExtractionError(ENCRYPTED if locked else DAMAGED) from exc
    count = len(document)
    if count > out.limits.pages:
        raise ExtractionError(f"The PDF has {count:,} pages; at most {out.limits.pages:,} are read.")
    for index in range(count):
        try:
            page = document[index]
            text = page.get_textpage().get_text_range()
        except pdfium.PdfiumError as exc:
            raise ExtractionError(f"Page {index + 1} of {count} is damaged and cannot be read.") from exc
        out.page(text)
        page.close()  # frees its text too; PDFium keeps pages until told
    if not count:
        raise ExtractionError(DAMAGED)
    out.text(if_empty=SCANNED)
