"""`manage.py ingest`, as someone at a terminal meets it."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
import termios
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from documents.models import Document
from tests.documents import files

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from botgpt.accounts.models import User


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good files, one nested, and what is to be left alone."""
    root = tmp_path / "papers"
    (root / "b" / ".git").mkdir(parents=True)
    (root / "b" / "deep.pdf").write_bytes(files.pdf("Deep."))
    (root / "b" / ".git" / "config").write_text("hidden folder")
    (root / ".hidden.txt").write_text("hidden file")
    (root / "a.txt").write_text("Above.")
    (root / "loop").symlink_to(root, target_is_directory=True)
    os.mkfifo(root / "pipe")
    return root


def ingest(*arguments: object, **options: Any) -> str:
    out = io.StringIO()
    call_command("ingest", *map(str, arguments), stdout=out, **options)
    return out.getvalue()


def test_files_and_folders_become_documents_of_the_user(folder: Path, alice: User) -> None:
    extra = folder.parent / "extra.md"
    extra.write_text("# Extra")
    output = ingest(extra, folder, "--user", "alice")
    documents = Document.objects.order_by("pk")
    assert [document.filename for document in documents] == ["extra.md", "a.txt", "deep.pdf"]
    assert {(document.owner, document.status) for document in documents} == {(alice, "ready")}
    assert "added          3 files" in output
    assert "failed         0 files" in output
    assert "unchanged      3 files" in ingest(folder, extra, "--user", "alice")


def test_shared_documents_belong_to_nobody(folder: Path, db: None) -> None:
    ingest(folder, "--shared")
    assert {document.owner for document in Document.objects.all()} == {None}


def test_failures_are_listed_with_their_reasons_and_the_rest_is_taken(folder: Path, alice: User) -> None:
    (folder / "empty.txt").write_bytes(b"")
    (folder / "locked.pdf").write_bytes(files.pdf("x", password="secret"))
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    out = io.StringIO()
    with pytest.raises(CommandError, match="2 of 5 files failed"):
        call_command("ingest", str(folder), "--user", "alice", stdout=out)
    lines = [line.split(maxsplit=1) for line in out.getvalue().splitlines()[4:]]
    assert [(path.rsplit("/", 1)[1], reason.split(".")[0]) for path, reason in lines] == [
        ("empty.txt", "The file is empty"),
        ("locked.pdf", "The file is protected with a password"),
        ("picture.png", "This is a PNG image; what can be read is plain text, Markdown, HTML, PDF, DOCX, XLSX, CSV, "
         "TSV and JSON"),
    ]  # fmt: skip
    assert "skipped        1 files" in out.getvalue()
    assert Document.objects.filter(status="ready").count() == 2


def test_a_kind_that_is_not_read_is_no_failure_in_a_folder_and_one_by_its_name(folder: Path, alice: User) -> None:
    picture = folder / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0")
    assert "failed         0 files" in ingest(folder, "--user", "alice")
    with pytest.raises(CommandError, match="1 of 1 files failed"):
        ingest(picture, "--user", "alice")


def test_the_outcome_is_printed_as_json(folder: Path, alice: User) -> None:
    (folder / "b" / "z.txt").write_bytes(b"")
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("ingest", str(folder), "--user", "alice", "--json", stdout=out)
    report = json.loads(out.getvalue())
    ready = Document.objects.order_by("pk")
    assert report == {
        "added": 2,
        "unchanged": 0,
        "skipped": 0,
        "failed": 1,
        "files": [
            {
                "path": str(folder / name),
                "result": "added",
                "document_id": document.pk,
                "chunk_count": document.chunk_count,
                "reason": "",
            }
            for name, document in zip(["a.txt", "b/deep.pdf"], ready, strict=True)
        ]
        + [
            {
                "path": str(folder / "b" / "z.txt"),
                "result": "failed",
                "document_id": None,
                "chunk_count": 0,
                "reason": "The file is empty.",
            }
        ],
    }


def test_what_is_wrong_with_the_command_is_said_before_anything_is_done(
    folder: Path, alice: User, settings: Settings
) -> None:
    for arguments, says in (
        ((folder, "nowhere.txt", "--user", "alice"), "There is no file or folder 'nowhere.txt'."),
        ((folder, "--user", "zoe"), "There is no user 'zoe'"),
        ((folder,), "Say whose the documents are: --user NAME, or --shared for everyone."),
        ((folder / "b" / ".git" / "..", "--user", "alice", "--shared"), "not allowed with argument"),
        (("--user", "alice"), "the following arguments are required: PATH"),
    ):
        with pytest.raises(CommandError, match=says):
            ingest(*arguments)
    (empty := folder / "empty").mkdir()
    with pytest.raises(CommandError, match="No files were found"):
        ingest(empty, "--user", "alice")
    assert not Document.objects.exists()


def test_a_laptop_needs_no_user(folder: Path, alice: User, settings: Settings) -> None:
    settings.ANONYMOUS_USER = "alice"
    ingest(folder)
    assert Document.objects.filter(owner=alice).count() == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_or_a_folder_that_may_not_be_read_is_a_failure(folder: Path, alice: User) -> None:
    (folder / "a.txt").chmod(0)
    (folder / "locked").mkdir(mode=0)
    out = io.StringIO()
    with pytest.raises(CommandError, match="2 of"):
        call_command("ingest", str(folder), "--user", "alice", stdout=out)
    assert re.search("a.txt +Permission denied", out.getvalue())
    assert "locked  Permission denied" in out.getvalue()


def run(environment: dict[str, str], *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "ingest", *arguments]
    return subprocess.run(command, env=environment, text=True, stdout=subprocess.PIPE, check=False, **options)


def test_the_status_tells_success_and_a_bar_shows_only_on_a_terminal(folder: Path, tmp_path: Path) -> None:
    environment = {
        "DEBUG": "true",
        "SECRET_KEY": "only-for-tests",
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "MEDIA_ROOT": str(tmp_path / "media"),
        "TERM": "xterm",
    }
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, env=environment, check=True)
    piped = run(environment, str(folder), "--shared", stderr=subprocess.PIPE)
    assert (piped.returncode, piped.stderr) == (0, "")
    (folder / "empty.txt").write_bytes(b"")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 100))
    shown = run(environment, str(folder), "--shared", stderr=theirs)
    os.close(theirs)
    screen = os.read(ours, 10_000).decode()
    os.close(ours)
    assert shown.returncode == 1
    assert "0/3" in screen
    assert "1 of 3 files failed." in screen
    assert "unchanged      2 files" in shown.stdout


def test_the_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("ingest", "--help")
    assert "manage.py ingest handbook.pdf --user alice" in capsys.readouterr().out
