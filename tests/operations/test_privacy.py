"""`export_user` and `erase_user`: everything of one user, and nothing of another."""

from __future__ import annotations

import datetime as dt
import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.files.storage import FileSystemStorage
from django.core.management import CommandError, call_command
from django.test import Client

from botgpt.accounts.models import ApiKey, User
from botgpt.operations import privacy
from conversations.models import Conversation, ConversationDocument, IdempotencyKey, Message
from conversations.privacy import delete
from documents.models import Document
from llm.booking import book
from llm.models import Allowance, Budget, LLMCall
from llm.types import Attribution, Usage
from tests.builders import add_turn, conversation_of, document_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import DjangoAssertNumQueries, Settings

WORD = "xylophagous"  # in everything of alice's, and nowhere else
SAID = f"The {WORD} beetle eats oak."


def account(user: User, *, word: str) -> Conversation:
    """One of everything, the word in all that is text."""
    document = document_of(user, f"The {word} beetle eats oak.", filename=f"{word}.txt")
    conversation = conversation_of(user, title=f"On the {word}", turns=1, documents=[document])
    reply = add_turn(conversation, question=f"What is {word}?", answer=f"{word} means wood-eating.")
    Message.objects.create(
        conversation=conversation, parent=reply.parent, role="assistant", content=f"Another: {word}.", status="failed"
    )
    Conversation.objects.filter(pk=conversation.pk).update(summary=f"About {word}.")
    ApiKey.objects.issue(user=user, name=f"{word} laptop")
    Budget.objects.create(user=user, day_tokens=1_000_000)
    book(
        Attribution(user.pk, conversation.pk, reply.pk, request_id=f"request-{word}"),
        provider="groq",
        model="openai/gpt-oss-20b",
        attempt=1,
        outcome="rejected",
        usage=Usage(100, 20),
        seconds=1,
        error=f"400 {word} is refused",
    )
    for thing in (document, conversation, user):
        LogEntry.objects.create(
            user=user,
            content_type=ContentType.objects.get_for_model(type(thing)),
            object_id=str(thing.pk),
            object_repr=f"{thing}",
            action_flag=2,
        )
    return conversation


@pytest.fixture
def clerk(db: None) -> User:
    return User.objects.create_user("clerk", is_staff=True)


@pytest.fixture
def two_accounts(alice: User, bob: User, clerk: User) -> Client:
    """Alice's and bob's, and a browser in which alice is logged in."""
    User.objects.filter(pk=alice.pk).update(first_name=WORD)
    account(alice, word=WORD)
    account(bob, word="ordinary")
    LogEntry.objects.update(user=clerk)
    browser = Client()
    browser.force_login(alice)
    Client().force_login(bob)
    return browser


def rows_with(*words: str) -> set[str]:
    """The tables that hold one of the words anywhere, bytes included."""
    return {model._meta.db_table for model in apps.get_models(include_auto_created=True) for row in values_of(model)
            if any(word in row for word in words)}  # fmt: skip


def values_of(model: Any) -> Iterator[str]:
    for row in model._default_manager.order_by().values_list():
        yield "\n".join(
            bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)
            for value in row
        )


def stored_files(settings: Settings) -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def export(tmp_path: Path, *options: str) -> dict[str, bytes]:
    call_command("export_user", "alice", "--output", str(tmp_path / "alice.zip"), *options)
    with ZipFile(tmp_path / "alice.zip") as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


# --- Export -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("two_accounts")
def test_everything_of_a_user_is_handed_over(alice: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = export(tmp_path)
    conversation, document = alice.conversations.get(), alice.documents.get()
    assert set(files) == {
        "account.json",
        f"conversations/{conversation.pk}.json",
        f"documents/{document.pk}/{WORD}.txt",
        "documents.json",
        "ledger.json",
    }
    transcript = json.loads(files[f"conversations/{conversation.pk}.json"])
    assert (transcript["title"], transcript["document_ids"]) == (f"On the {WORD}", [document.pk])
    assert [m["content"] for m in transcript["messages"]] == [
        "Question 0", "Answer 0", f"What is {WORD}?", f"{WORD} means wood-eating.", f"Another: {WORD}.",
    ]  # fmt: skip
    (listed,) = json.loads(files["documents.json"])
    assert (listed["file"], listed["sha256"]) == (f"documents/{document.pk}/{WORD}.txt", document.sha256)
    assert files[listed["file"]].decode() == SAID
    (call,) = json.loads(files["ledger.json"])
    assert (call["prompt_tokens"], call["conversation_id"], call["cost"]) == (100, conversation.pk, "0.0000135000")
    given = json.loads(files["account.json"])
    assert (given["username"], given["email"], given["budget"]["day_tokens"]) == (
        "alice", "alice@example.com", 1_000_000,
    )  # fmt: skip
    assert [key["name"] for key in given["api_keys"]] == [f"{WORD} laptop"]
    assert "1 conversations, 1 documents, 1 ledger rows" in capsys.readouterr().out


@pytest.mark.usefixtures("two_accounts")
def test_no_secret_and_nothing_of_another_user_is_in_it(alice: User, tmp_path: Path) -> None:
    everything = b"".join(export(tmp_path).values()).decode()
    assert alice.password not in everything
    assert alice.api_keys.get().digest not in everything
    assert "ordinary" not in everything
    assert "bob" not in everything


@pytest.mark.usefixtures("two_accounts")
def test_the_file_is_for_its_owners_eyes_and_replaced_only_when_told(tmp_path: Path) -> None:
    export(tmp_path)
    path = tmp_path / "alice.zip"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(CommandError, match="is there already"):
        export(tmp_path)
    export(tmp_path, "--force")
    assert [file.name for file in tmp_path.glob("*") if file.is_file()] == ["alice.zip"]


@pytest.mark.usefixtures("two_accounts")
def test_a_stored_file_that_is_gone_is_told_and_all_else_is_exported(
    alice: User, settings: Settings, tmp_path: Path
) -> None:
    Path(alice.documents.get().file.path).unlink()
    with pytest.raises(CommandError, match=f"The stored file is missing of: {WORD}.txt"):
        export(tmp_path)
    with ZipFile(tmp_path / "alice.zip") as archive:
        assert json.loads(archive.read("documents.json"))[0]["file"] is None
        assert json.loads(archive.read("ledger.json"))


@pytest.mark.usefixtures("two_accounts")
def test_a_long_account_is_read_in_batches(alice: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (("conversations", "BATCH"), ("conversations", "MESSAGES_A_BATCH"), ("llm", "BATCH")):
        monkeypatch.setattr(f"{module}.privacy.{name}", 2)
    for number in range(5):
        conversation = conversation_of(alice, title=f"Number {number}", turns=3)
        LLMCall.objects.create(user=alice, conversation=conversation, provider="x", model="y", outcome="ok")
    files = export(tmp_path)
    transcripts = [json.loads(content) for name, content in files.items() if name.startswith("conversations/")]
    assert [len(transcript["messages"]) for transcript in transcripts] == [5, 6, 6, 6, 6, 6]
    assert len(json.loads(files["ledger.json"])) == 6


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("command", ["export_user", "erase_user"])
def test_an_unknown_user_is_told(command: str) -> None:
    with pytest.raises(CommandError, match="There is no user 'nobody'"):
        call_command(command, "nobody")


@pytest.mark.usefixtures("two_accounts")
def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"cannot be written: No such file or directory\."):
        call_command("export_user", "alice", "--output", str(tmp_path / "nowhere" / "alice.zip"))


# --- Erase ------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_nothing_of_a_user_is_left_but_the_figures_of_the_ledger(
    alice: User, bob: User, two_accounts: Client, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(rows_with(WORD, "alice")) >= 8  # so the search below finds what is there
    assert len(stored_files(settings)) == 2
    figures = LLMCall.objects.order_by("id").values_list("prompt_tokens", "completion_tokens", "cost", "created_at")
    before = list(figures)

    call_command("erase_user", "alice", "--yes")

    assert rows_with(WORD, "alice") == set()
    assert [path.read_text() for path in stored_files(settings)] == ["The ordinary beetle eats oak."]
    assert list(figures) == before
    forgotten = LLMCall.objects.get(user=None)
    assert (forgotten.conversation_id, forgotten.message_id) == (None, None)
    assert (forgotten.request_id, forgotten.error, forgotten.outcome) == ("", "", "rejected")
    assert not Session.objects.filter(session_key=two_accounts.session.session_key).exists()
    assert Session.objects.count() == 1
    assert "1 conversations, 1 documents and 1 API keys of alice" in capsys.readouterr().out
    # And bob has everything he had.
    bob.refresh_from_db()
    assert (bob.conversation_count, bob.conversations.count(), bob.documents.count()) == (1, 1, 1)
    assert LLMCall.objects.get(user=bob).error == "400 ordinary is refused"
    assert LogEntry.objects.filter(object_repr="On the ordinary").exists()
    assert Allowance.objects.get().user == bob


@pytest.mark.usefixtures("two_accounts")
def test_a_dry_run_changes_nothing(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    before = [list(values_of(model)) for model in apps.get_models()]
    call_command("erase_user", "alice", "--dry-run")
    assert [list(values_of(model)) for model in apps.get_models()] == before
    assert "Would delete 1 conversations" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("two_accounts")
@pytest.mark.parametrize(("answer", "erased"), [("alice", True), ("yes", False), (None, False)])
def test_it_asks_for_the_name_before(alice: User, monkeypatch: pytest.MonkeyPatch, answer: str, erased: bool) -> None:  # noqa: FBT001
    def asked(prompt: str) -> str:
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr("builtins.input", asked)
    if erased:
        call_command("erase_user", "alice")
    else:
        with pytest.raises(CommandError, match="Nothing was changed"):
            call_command("erase_user", "alice")
    assert User.objects.filter(pk=alice.pk).exists() is not erased


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("two_accounts")
def test_a_file_that_the_storage_keeps_is_told_and_all_rows_are_gone(
    alice: User, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    name = alice.documents.get().file.name

    def refuse(storage: FileSystemStorage, name: str) -> None:
        raise PermissionError(name)

    monkeypatch.setattr(FileSystemStorage, "delete", refuse)
    with pytest.raises(CommandError, match=f"not every file: The storage did not delete {name}"):
        call_command("erase_user", "alice", "--yes")
    assert rows_with(WORD, "alice") == set()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("two_accounts")
def test_what_was_interrupted_is_finished_by_the_next_run(alice: User, settings: Settings) -> None:
    def interrupt(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        privacy.erase(alice, progress=interrupt)
    assert not User.objects.get(pk=alice.pk).is_active
    call_command("erase_user", "alice", "--yes")
    assert rows_with(WORD, "alice") == set()


@pytest.mark.django_db(transaction=True)
def test_a_call_that_ends_after_its_user_was_erased_keeps_nothing_of_them(alice: User) -> None:
    user_id = alice.pk
    call_command("erase_user", "alice", "--yes")
    book(
        Attribution(user_id=user_id, request_id="request-1"),
        provider="groq",
        model="openai/gpt-oss-20b",
        attempt=1,
        outcome="rejected",
        usage=Usage(10, 0),
        seconds=1,
        error=f"about {WORD}",
    )
    row = LLMCall.objects.get()
    assert (row.user_id, row.request_id, row.error, row.prompt_tokens) == (None, "", "", 10)
    assert not Allowance.objects.exists()


# --- Purge ------------------------------------------------------------------------------------


def age(conversation: Conversation, *, days: float) -> None:
    now = dt.datetime.now(dt.UTC)
    Conversation.objects.filter(pk=conversation.pk).update(activity_at=now - dt.timedelta(days=days))


def test_purge_deletes_what_is_old_and_keeps_counters_documents_and_the_ledger(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("conversations.privacy.BATCH", 2)
    document = document_of(alice, SAID)
    kept = conversation_of(alice, turns=1)
    age(kept, days=89)
    for user in (alice, bob, alice, alice):
        age(conversation_of(user, turns=2, documents=[document]), days=91)
    LLMCall.objects.create(user=bob, conversation=bob.conversations.get(), provider="x", model="y", outcome="ok")

    call_command("purge", "--older-than", "90d", "--dry-run")
    assert Conversation.objects.count() == 5
    assert "Would delete 4 conversations" in capsys.readouterr().out

    call_command("purge", "--older-than", "90d")
    assert "Deleted 4 conversations" in capsys.readouterr().out
    assert list(Conversation.objects.all()) == [kept]
    assert Message.objects.count() == 2
    alice.refresh_from_db()
    bob.refresh_from_db()
    assert (alice.conversation_count, bob.conversation_count) == (1, 0)
    assert Document.objects.count() == 1
    call = LLMCall.objects.get()
    assert (call.user, call.conversation) == (bob, None)


def test_many_are_deleted_by_as_many_statements_as_one_and_leave_what_a_single_deletion_leaves(
    alice: User, bob: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def turn_with_everything(user: User) -> None:
        conversation = conversation_of(user, turns=3, documents=[document])
        reply = add_turn(conversation)
        IdempotencyKey.objects.create(user=user, key=f"key {conversation.pk}", fingerprint="", reply=reply)
        fields = {"provider": "x", "model": "y", "outcome": "ok"}
        LLMCall.objects.create(user=user, conversation=conversation, message=reply, **fields)

    document = document_of(None, SAID)
    for number in (1, 5):
        for _ in range(number):
            turn_with_everything(alice)
        with django_assert_num_queries(
            11
        ):  # the ids, and the batch after; a savepoint and its end; 5 tables, the counter, the rows
            assert len(list(delete(alice.conversations.all()))) == 1
        for model in (Conversation, Message, IdempotencyKey, ConversationDocument):
            assert not model._base_manager.exists(), model
    turn_with_everything(bob)
    bob.conversations.get().delete()
    calls = LLMCall.objects.values_list("conversation", "message", "user__conversation_count", "user__username")
    assert set[Any](calls) == {(None, None, 0, "alice"), (None, None, 0, "bob")}


def test_a_long_conversation_is_deleted_alone(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.privacy.MESSAGES_A_DELETION", 8)
    ids = [conversation_of(alice, turns=turns).pk for turns in (1, 2, 9, 2, 2, 1)]
    assert list(delete(alice.conversations.all())) == [ids[:2], ids[2:3], ids[3:5], ids[5:]]
    alice.refresh_from_db()
    assert alice.conversation_count == 0


@pytest.mark.parametrize("span", ["90", "0d", "3x", "-1d", "99999d"])
def test_an_age_that_is_none_is_refused(span: str) -> None:
    with pytest.raises(CommandError, match="is not a time span such as 12h, 90d or 52w"):
        call_command("purge", f"--older-than={span}")
