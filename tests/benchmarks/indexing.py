"""Times the whole way of a file, from its bytes to a searchable document, beside the library that reads its kind."""

from __future__ import annotations

import html
import io
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import docx
import pypdfium2 as pdfium
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from selectolax.lexbor import LexborHTMLParser

from documents.extraction import detection
from documents.extraction.sandbox import extract
from documents.ingestion import add_document
from documents.models import Document
from tests.documents.files import pdf, word

from .databases import using
from .timing import WARM_UP, Rival, Spread, race, ratios

if TYPE_CHECKING:
    from collections.abc import Callable

    from .texts import Text, Writer

PAGE_PARAGRAPHS = 5
PIPELINE, READING, LIBRARY = "whole way", "reading", "library alone"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Attributes:
        library: reads a file's text in this process, with what the reader of this kind is built on.
    """

    ending: str
    media_type: str
    make: Callable[[Text], bytes]
    library: Callable[[Path], str]


@dataclass(frozen=True, slots=True)
class Throughput:
    """What one kind of file came to: milliseconds a file, and how many times as long as the library."""

    kind: str
    file_bytes: int
    chunks: int
    pipeline: Spread
    reading: Spread
    library: Spread
    ratio: Spread


@dataclass(frozen=True, slots=True)
class Job:
    """The same text in a file of another name and other bytes each time: the same bytes are stored once."""

    path: Path
    data: bytes


def measure(alias: str, writer: Writer, *, files: int, chunks: int) -> list[Throughput]:
    """Index so many files of every kind, of about so many chunks each, in the database of this alias."""
    with TemporaryDirectory(prefix="bench-") as name, override_settings(MEDIA_ROOT=name), using(alias):
        return [_measure(kind, writer, Path(name), files=files, chunks=chunks) for kind in KINDS]


def _measure(kind: Kind, writer: Writer, folder: Path, *, files: int, chunks: int) -> Throughput:
    jobs = []
    for number in range(files + WARM_UP):
        path = folder / f"{number}.{kind.ending}"
        path.write_bytes(kind.make(writer.document(chunks=chunks)))
        jobs.append(Job(path=path, data=path.read_bytes()))

    found: list[int] = []

    def ingest(job: Job) -> None:
        document, _ = add_document(
            owner=None, file=SimpleUploadedFile(job.path.name, job.data), filename=job.path.name, metadata={}
        )
        if document.status != Document.Status.READY:
            raise RuntimeError(f"{job.path.name}: {document.error}")
        found.append(document.chunk_count)

    rivals: list[Rival[Job]] = [
        Rival(name=PIPELINE, run=ingest, beside=LIBRARY),
        Rival(name=READING, run=lambda job: extract(job.path, media_type=kind.media_type), beside=LIBRARY),
        Rival(name=LIBRARY, run=lambda job: kind.library(job.path), beside=LIBRARY),
    ]
    times = race(rivals, jobs, label=f"{kind.ending}: files")
    return Throughput(
        kind=kind.ending,
        file_bytes=sum(len(job.data) for job in jobs) // len(jobs),
        chunks=sum(found) // len(jobs),
        pipeline=Spread.of(times[PIPELINE]),
        reading=Spread.of(times[READING]),
        library=Spread.of(times[LIBRARY]),
        ratio=ratios(rivals, times)[PIPELINE],
    )


def _text(text: Text) -> bytes:
    return text.extracted().text.encode()


def _markdown(text: Text) -> bytes:
    parts = [f"# {text.title}"]
    for section in text.sections:
        parts += [f"## {section.heading}", *section.paragraphs]
    return "\n\n".join(parts).encode()


def _html(text: Text) -> bytes:
    body = "\n".join(
        f"<section><h2>{html.escape(section.heading)}</h2>\n"
        + "\n".join(f'<p class="text">{html.escape(paragraph)}</p>' for paragraph in section.paragraphs)
        + "</section>"
        for section in text.sections
    )
    title = html.escape(text.title)
    return (
        f"<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>".encode()
    )


def _pdf(text: Text) -> bytes:
    paragraphs = [part for section in text.sections for part in (section.heading, *section.paragraphs)]
    pages = range(0, len(paragraphs), PAGE_PARAGRAPHS)
    return pdf(*("\n\n".join(paragraphs[at : at + PAGE_PARAGRAPHS]) for at in pages))


def _docx(text: Text) -> bytes:
    blocks: list[str | tuple[str, int]] = [(text.title, 1)]
    for section in text.sections:
        blocks += [(section.heading, 2), *section.paragraphs]
    return word(*blocks)


def _read_html(path: Path) -> str:
    body = LexborHTMLParser(path.read_bytes()).body
    return body.text(separator="\n") if body else ""


def _read_pdf(path: Path) -> str:
    document = pdfium.PdfDocument(path)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


def _read_docx(path: Path) -> str:
    return "\n".join(paragraph.text for paragraph in docx.Document(io.BytesIO(path.read_bytes())).paragraphs)


KINDS = (
    Kind("txt", detection.TEXT, _text, Path.read_text),
    Kind("md", detection.MARKDOWN, _markdown, Path.read_text),
    Kind("html", detection.HTML, _html, _read_html),
    Kind("pdf", detection.PDF, _pdf, _read_pdf),
    Kind("docx", detection.DOCX, _docx, _read_docx),
)
