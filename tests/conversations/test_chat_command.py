"""`manage.py chat`: a folder of documents, talked to through a pipe."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from conversations.models import Conversation
from documents.models import Document
from tests.builders import document_of
from tests.provider_server import reply, status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_django import Settings

    from botgpt.accounts.models import User
    from tests.provider_server import ProviderServer

WARRANTY = "The warranty of the Alta is three years from the day of purchase."
Said = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two documents, one in a folder below."""
    (tmp_path / "docs" / "more").mkdir(parents=True)
    (tmp_path / "docs" / "manual.txt").write_text(WARRANTY)
    (tmp_path / "docs" / "more" / "prices.md").write_text("# Prices\n\nA gasket costs seven euros.")
    return tmp_path / "docs"


@pytest.fixture
def chat(alice: User, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def run(*questions: str, paths: tuple[str, ...] = (str(folder),), user: str = "alice") -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(questions) + "\n"))
        call_command("chat", *paths, "--user", user)

    return run


def test_a_question_through_a_pipe_gets_an_answer_with_its_source(chat: Callable[..., None], capsys: Said) -> None:
    chat("How long is the warranty?")
    out = capsys.readouterr().out
    assert out.startswith("> How long is the warranty?\n")
    assert f"- {WARRANTY} [1]" in out
    assert f"\n  [1] manual.txt: “{WARRANTY}”\n" in out


def test_it_says_which_documents_it_has_and_that_no_model_answers(chat: Callable[..., None], capsys: Said) -> None:
    chat("How long is the warranty?")
    beside = capsys.readouterr().err
    assert "Documents: manual.txt, prices.md." in beside
    assert "No language model is configured" in beside


def test_all_questions_make_one_grounded_conversation(chat: Callable[..., None], alice: User, capsys: Said) -> None:
    chat("How long is the warranty?", "", "   ", "What does a gasket cost?")
    conversation = Conversation.objects.get()
    assert (conversation.user, conversation.mode, conversation.message_count) == (alice, "rag", 4)
    assert [d.filename for d in conversation.documents.order_by("id")] == ["manual.txt", "prices.md"]
    assert f"Kept as conversation {conversation.pk} of alice." in capsys.readouterr().err


def test_documents_that_are_there_are_taken_as_they_are(chat: Callable[..., None], alice: User) -> None:
    known = document_of(alice, WARRANTY, filename="known.txt")
    chat("How long is the warranty?")
    assert Document.objects.count() == 2
    assert known in Conversation.objects.get().documents.all()


def test_a_model_is_asked_when_there_is_one_and_its_marks_become_footnotes(
    chat: Callable[..., None], groq: ProviderServer, capsys: Said
) -> None:
    groq.will(reply("Three years [1]. Not in the passages [9]."))
    chat("How long is the warranty?")
    said = capsys.readouterr()
    assert "Three years [1]. Not in the passages." in said.out
    assert f"  [1] manual.txt: “{WARRANTY}”" in said.out
    assert "No language model" not in said.err


def test_an_unanswered_question_is_an_error_of_a_pipe(
    chat: Callable[..., None], groq: ProviderServer, settings: Settings, capsys: Said
) -> None:
    settings.LLM_MAX_ATTEMPTS = 1
    groq.always(status(500))
    with pytest.raises(CommandError, match="1 of 1 questions got no answer"):
        chat("How long is the warranty?")
    assert settings.FALLBACK_REPLY in capsys.readouterr().out


def test_a_question_that_is_too_long_does_not_end_the_conversation(chat: Callable[..., None], capsys: Said) -> None:
    with pytest.raises(CommandError, match="1 of 2 questions got no answer"):
        chat("word " * 20_000, "How long is the warranty?")
    assert WARRANTY in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_asked(
    chat: Callable[..., None], folder: Path, capsys: Said
) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    chat("How long is the warranty?")
    said = capsys.readouterr()
    assert "broken.pdf: " in said.err
    assert WARRANTY in said.out


def test_without_a_readable_document_there_is_nothing_to_talk_about(chat: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    with pytest.raises(CommandError, match="There is no document to talk about"):
        chat("Anything?", paths=(str(tmp_path / "empty.txt"),))


def test_a_path_that_does_not_exist_is_named(chat: Callable[..., None]) -> None:
    with pytest.raises(CommandError, match="nowhere"):
        chat("Anything?", paths=("/nowhere",))


def test_an_unknown_user_is_named(chat: Callable[..., None]) -> None:
    with pytest.raises(CommandError, match="There is no user 'carol'"):
        chat("Anything?", user="carol")


def test_nobody_is_meant_where_no_user_is_named(folder: Path, db: None) -> None:
    with pytest.raises(CommandError, match="--user NAME"):
        call_command("chat", str(folder))


def test_no_questions_are_no_conversation(chat: Callable[..., None]) -> None:
    chat()
    assert not Conversation.objects.exists()


def test_ctrl_c_ends_it_cleanly_and_keeps_what_was_said(
    chat: Callable[..., None], alice: User, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    class Interrupted:
        def isatty(self) -> bool:
            return False

        def __iter__(self) -> Iterator[str]:
            yield "How long is the warranty?\n"
            raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin", Interrupted())
    call_command("chat", str(folder), "--user", "alice")
    assert Conversation.objects.get().message_count == 2
    assert "Kept as conversation" in capsys.readouterr().err
