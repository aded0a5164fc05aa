"""Files that are broken, hostile or lying: each fails with a reason in words, and nothing else happens."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from documents.errors import ExtractionError
from documents.extraction import sandbox
from documents.extraction.detection import DOCX, HTML, JSON, PDF, TEXT, XLSX
from tests.documents import files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

MIB = 2**20


def reason(path: Path, data: bytes, media_type: str) -> str:
    """Why reading fails."""
    path.write_bytes(data)
    with pytest.raises(ExtractionError) as failure:
        sandbox.extract(path, media_type=media_type)
    return failure.value.reason


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stored"


@contextmanager
def seconds_at_most(limit: float) -> Iterator[None]:
    began = time.monotonic()
    try:
        yield
    finally:
        assert time.monotonic() - began < limit


# --- Broken -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "media_type", "expected"),
    [
        (b"%PDF-1.7\n" + os.urandom(5_000), PDF, "damaged"),
        (files.pdf("Hello")[:300], PDF, "damaged"),
        (files.pdf("Secret", password="swordfish"), PDF, "protected with a password"),
        (files.scanned_pdf(), PDF, "seems to be a scan"),
        (files.word("Hello")[:3_000], DOCX, "damaged"),
        (files.zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<x/>"}), DOCX, "damaged"),
        (files.zipped({"word/": b""}), DOCX, "damaged"),
        (files.word(), DOCX, "no text"),
        (files.excel(Empty=[]), XLSX, "no text"),
        (files.zipped({"xl/workbook.xml": b"<x/>"}), XLSX, "damaged"),
        (b" \n\t ", TEXT, "no text"),
        (b"<html><script>x</script>", HTML, "no text"),
        (b'{"a": ', JSON, "not valid JSON: Expecting value at line 1, column 7"),
        (b"[" * 100_000, JSON, "nested too deeply"),
        (b"text, then" + b"\0\1\2" * 1_000, TEXT, "full of control characters"),
    ],
)
def test_a_broken_file_fails_with_a_reason(path: Path, data: bytes, media_type: str, expected: str) -> None:
    assert expected in reason(path, data, media_type)


def test_a_file_that_is_gone_is_no_crash(path: Path) -> None:
    with pytest.raises(ExtractionError):
        sandbox.extract(path, media_type=TEXT)


def test_an_encrypted_part_of_an_office_file_is_told(path: Path) -> None:
    data = bytearray(files.word("Hello"))
    at = data.find(b"PK\x01\x02")
    data[at + 8] |= 1
    assert "protected with a password" in reason(path, bytes(data), DOCX)


# --- Too much ---------------------------------------------------------------------------------


def test_a_pdf_with_too_many_pages_is_refused(path: Path, settings: Settings) -> None:
    settings.MAX_DOCUMENT_PAGES = 2
    assert reason(path, files.pdf("1", "2", "3"), PDF) == "The PDF has 3 pages; at most 2 are read."


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"x" * 101, TEXT),
        (b"<p>" + b"word " * 30, HTML),
        (files.word("x" * 60, "y" * 60), DOCX),
        (files.pdf("x " * 40, "y " * 40), PDF),
        (b"a,b\n" + b"1,2\n" * 20, "text/csv"),
    ],
)
def test_too_much_text_is_refused(path: Path, settings: Settings, data: bytes, media_type: str) -> None:
    settings.MAX_DOCUMENT_CHARS = 100
    assert reason(path, data, media_type) == "The file has more than 100 characters of text."


def test_exactly_as_much_text_as_allowed_is_read(path: Path, settings: Settings) -> None:
    settings.MAX_DOCUMENT_CHARS = 100
    path.write_bytes(b"x" * 100)
    assert sandbox.extract(path, media_type=TEXT).text == "x" * 100


def test_every_character_may_need_an_escape_on_the_way_out(path: Path, settings: Settings) -> None:
    settings.MAX_DOCUMENT_CHARS = 3 * MIB
    text = "\"\\\n\t😀'" * (MIB // 2)
    path.write_bytes(text.encode())
    assert sandbox.extract(path, media_type=TEXT).text == text


# --- Bombs ------------------------------------------------------------------------------------


def test_a_docx_that_says_it_is_a_bomb_is_refused_before_it_is_unpacked(path: Path) -> None:
    data = files.word_bomb(unpacked_bytes=300 * MIB)
    assert len(data) < 2 * MIB
    with seconds_at_most(2):
        assert reason(path, data, DOCX) == "Unpacked, the file has more than 209,715,200 bytes."


def test_a_docx_bomb_that_lies_about_its_size_is_found_out_in_small_blocks(path: Path, settings: Settings) -> None:
    settings.EXTRACTION_MEMORY_BYTES = 200 * MIB  # not enough to unpack it at once
    found = reason(path, files.word_bomb(unpacked_bytes=300 * MIB, claimed_bytes=1_000), DOCX)
    assert found == "The file is damaged and cannot be read."


def test_an_archive_of_very_many_parts_is_refused(path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(10_001):
            archive.writestr(f"word/{number}", b"")
    assert "more than 10,000 parts" in reason(path, out.getvalue(), DOCX)


def test_a_docx_that_expands_entities_is_no_bomb(path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 100}">' for n in range(10))
    body = (
        '<w:p xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:r><w:t>&e9;</w:t></w:r></w:p>'
    )
    members = files.unzipped(files.word("Hello"))
    members["word/document.xml"] = f"<!DOCTYPE d [{entities}]>{body}".encode()
    with seconds_at_most(10):
        reason(path, files.zipped(members), DOCX)


def test_a_pdf_bomb_stops_at_the_memory_limit(path: Path, settings: Settings) -> None:
    settings.EXTRACTION_MEMORY_BYTES = 300 * MIB
    data = files.pdf_bomb(unpacked_bytes=400 * MIB)
    assert len(data) < MIB
    assert "needs too much memory" in reason(path, data, PDF)


def test_very_deeply_nested_html_takes_no_longer_than_allowed(path: Path, settings: Settings) -> None:
    settings.EXTRACTION_SECONDS = 1
    settings.EXTRACTION_MEMORY_BYTES = 8 * 2**30  # a fast machine comes to the usual limit within the second
    with seconds_at_most(3):
        assert "took too long" in reason(path, b"<div>" * 200_000 + b"text", HTML)


def test_html_nested_deeper_than_python_recurses_is_read(path: Path) -> None:
    path.write_bytes(b"<div>" * 5_000 + b"text")
    assert sandbox.extract(path, media_type=HTML).text == "text"


# --- The process ------------------------------------------------------------------------------


def test_a_reader_that_hangs_is_ended_with_all_it_started(path: Path, settings: Settings) -> None:
    settings.EXTRACTION_SECONDS = 1
    os.mkfifo(path)  # opening it waits for a writer that never comes
    before = children()
    with pytest.raises(ExtractionError, match="took too long"), seconds_at_most(3):
        sandbox.extract(path, media_type=TEXT)
    assert children() == before


def test_a_reader_that_is_killed_from_outside_is_a_reason_and_no_crash(path: Path) -> None:
    os.mkfifo(path)
    before = children()

    def kill() -> None:
        while not (new := children() - before):
            time.sleep(0.01)
        os.kill(new.pop(), signal.SIGSEGV)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(ExtractionError, match="damaged, or reading it needs too much memory"):
        sandbox.extract(path, media_type=TEXT)
    killer.join()


def test_the_reading_process_sees_neither_our_environment_nor_our_files(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "secret-key")
    os.mkfifo(path)
    before = children()
    seen: dict[str, str | list[str]] = {}

    def look() -> None:
        while not (new := children() - before):
            time.sleep(0.01)
        (child,) = new
        process = Path(f"/proc/{child}")
        while "LC_ALL" not in (environment := (process / "environ").read_text()):
            time.sleep(0.01)
        seen["environment"] = environment
        seen["descriptors"] = [os.path.realpath(link) for link in (process / "fd").iterdir()]
        path.write_bytes(b"done")

    with path.parent.joinpath("ours").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)  # noqa: FBT003  as a library's may be
        looker = threading.Thread(target=look)
        looker.start()
        assert sandbox.extract(path, media_type=TEXT).text == "done"
        looker.join()
    assert "secret-key" not in seen["environment"]
    assert str(path.parent / "ours") not in seen["descriptors"]


def test_uploads_at_once_wait_for_one_another(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "PLACES", threading.BoundedSemaphore(1))
    monkeypatch.setattr(sandbox, "PLACE_SECONDS", 0.1)
    path.write_bytes(b"text")
    sandbox.PLACES.acquire()
    with pytest.raises(ExtractionError, match="Upload the file again"):
        sandbox.extract(path, media_type=TEXT)
    sandbox.PLACES.release()
    assert sandbox.extract(path, media_type=TEXT).text == "text"


def children() -> set[int]:
    """The processes that this one has started and that still run."""
    return {int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}
