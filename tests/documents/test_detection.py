"""What a file is taken for, and which files are refused before anything is stored."""

from __future__ import annotations

import io
import os

import pytest

from documents.errors import MislabelledFile, UnsupportedFile
from documents.extraction.detection import DOCX, HTML, JSON, MARKDOWN, PDF, TEXT, XLSX, detect
from tests.documents import files

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
ELF = b"\x7fELF\x02\x01\x01" + bytes(200)


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("a.txt", b"Hello", TEXT),
        ("README", b"Hello", TEXT),
        ("a.log", b"Hello", TEXT),
        ("a.md", b"# Hello", MARKDOWN),
        ("A.MD", b"# Hello", MARKDOWN),
        ("a.json", b"{}", JSON),
        ("a.html", b"<p>Hello", HTML),
        ("a.txt", b"\n<!-- x --><!DOCTYPE html><p>Hello", HTML),
        ("a.md", b'<?xml version="1.0"?><html lang="en"><p>Hello', HTML),
        ("a.txt", b"<header>not a page", TEXT),
        ("a.txt", files.pdf("Hello"), PDF),
        ("a", b"\r\n" + files.pdf("Hello"), PDF),
        ("a", b"HTTP/1.1 200 OK\r\n\r\n" + files.pdf("Hello"), PDF),
        ("a.txt", b"A PDF begins with %PDF-1.7.", TEXT),
        ("a.md", files.word("Hello"), DOCX),
        ("a.docm", files.word("Hello"), DOCX),
        ("a", files.excel(A=[("Hello",)]), XLSX),
        ("a.txt", "Größe".encode("cp1252"), TEXT),
        ("a.txt", "Größe".encode("utf-16"), TEXT),
        ("a.txt", "Größe".encode("utf-32"), TEXT),
        ("a.txt", b"MZ is how programs begin, ID3 how songs do", TEXT),
        ("a.txt", b"\x1b[31mcoloured\x1b[0m log\x0c", TEXT),
    ],
)
def test_a_files_kind_is_told_from_its_bytes(name: str, data: bytes, media_type: str) -> None:
    file = io.BytesIO(data)
    assert detect(file, filename=name) == media_type
    assert file.tell() == 0


@pytest.mark.parametrize(
    ("name", "data", "looks_like"),
    [
        ("a.txt", ELF, "a program (ELF)"),
        ("a.txt", PNG, "a PNG image"),
        ("a.png", PNG, "a PNG image"),
        ("a.txt", b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG image"),
        ("a.mp3", b"ID3\x04\0\0", "an MP3 sound"),
        ("a.mp4", b"\0\0\0\x20ftypisom\0\0\2\0", "an image or film (MP4, HEIC)"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "a password-protected or old Office file"),
        ("a.rtf", rb"{\rtf1 Hello}", "a Rich Text document"),
        ("a.zip", files.zipped({"a.txt": b"Hello"}), "a ZIP archive"),
        ("a.odt", files.zipped({"mimetype": b"application/vnd.oasis.opendocument.text"}), "a ZIP archive"),
        ("a.pptx", files.zipped({"ppt/presentation.xml": b""}), "a PowerPoint presentation"),
        ("a.bin", os.urandom(4_000), "a binary file of an unknown kind"),
        ("a.txt", b"text " * 20_000 + bytes(99), "a binary file of an unknown kind"),
        ("a.txt", "no mark".encode("utf-16-le"), "a binary file of an unknown kind"),
    ],
)
def test_a_kind_that_is_not_read_is_refused_by_what_it_looks_like(name: str, data: bytes, looks_like: str) -> None:
    with pytest.raises((UnsupportedFile, MislabelledFile)) as refusal:
        detect(io.BytesIO(data), filename=name)
    assert looks_like in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.pdf", b"<html>", "The name ends in .pdf, like a PDF document, but its content is not."),
        ("a.PDF", PNG, "The name ends in .pdf, like a PDF document, but its content is a PNG image."),
        ("a.docx", b"Hello", "The name ends in .docx, like a Word document, but its content is not."),
        ("a.docx", files.pdf("x"), "The name ends in .docx, like a Word document, but its content is a PDF document."),
        (
            "a.xlsx",
            files.word("x"),
            "The name ends in .xlsx, like an Excel workbook, but its content is a Word document.",
        ),
        ("a.zip", b"Hello", "The name ends in .zip, like a ZIP archive, but its content is not."),
    ],
)
def test_a_name_that_promises_another_kind_is_refused(name: str, data: bytes, message: str) -> None:
    with pytest.raises(MislabelledFile) as refusal:
        detect(io.BytesIO(data), filename=name)
    assert str(refusal.value) == message
