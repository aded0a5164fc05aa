"""Everything that is kept of one user: handed over as a ZIP file, or erased."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from botgpt.accounts.models import User
from conversations import privacy as conversations
from documents import privacy as documents
from documents.batches import in_batches
from documents.files import safe_filename
from llm import privacy as ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import IO

    from django.db.models import QuerySet

    Progress = Callable[[int], object]

ROWS_A_BATCH = 1_000
ACCOUNT = ("id", "username", "email", "first_name", "last_name", "is_active", "is_staff", "is_superuser")
TIMES = ("created_at", "last_login")
KEY = ("name", "prefix", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at")
BUDGET = ("day_tokens", "month_tokens", "day_cost", "month_cost")


@dataclass(slots=True)
class Exported:
    """What an export holds; `missing` are the documents whose stored file could not be read."""

    conversations: int = 0
    documents: int = 0
    calls: int = 0
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Holdings:
    """How much is kept of a user."""

    conversations: int
    documents: int
    calls: int
    api_keys: int

    @property
    def total(self) -> int:
        return self.conversations + self.documents + self.calls


def holdings(user: User) -> Holdings:
    """Count what `export` would hand over and `erase` would remove."""
    return Holdings(
        conversations=conversations.owned_by(user.pk).count(),
        documents=documents.owned_by(user.pk).count(),
        calls=ledger.calls_of(user.pk).count(),
        api_keys=user.api_keys.count(),
    )


def export(user: User, path: Path, *, progress: Progress) -> Exported:
    """Write `account.json`, `conversations/`, `documents/` and `ledger.json`, whole or not at all.

    Rows and files are passed on as they are read, so that the size of an account does not matter.

    Raises:
        OSError: the file cannot be written.
    """
    # A temporary file is readable for nobody else, and a broken run leaves nothing under the final name.
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".export-", delete=False) as target:
        draft = Path(target.name)
        try:
            done = _write(target, user, progress)
        except BaseException:
            draft.unlink()
            raise
    draft.replace(path)
    return done


def _write(target: IO[bytes], user: User, progress: Progress) -> Exported:
    done = Exported()
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        archive.writestr("account.json", _json(_account(user)))
        _add_conversations(archive, user, done, progress)
        _add_documents(archive, user, done, progress)
        with archive.open("ledger.json", "w", force_zip64=True) as entry:
            done.calls = _write_array(entry, ledger.exported(user.pk), progress)
    return done


def _account(user: User) -> dict[str, Any]:
    budget = getattr(user, "budget", None)
    return {
        **{name: getattr(user, name) for name in (*ACCOUNT, *TIMES)},
        "groups": list(user.groups.values_list("name", flat=True)),
        "api_keys": list(user.api_keys.order_by("id").values(*KEY)),
        "budget": budget and {name: getattr(budget, name) for name in BUDGET},
    }


def _add_conversations(archive: ZipFile, user: User, done: Exported, progress: Progress) -> None:
    for row, messages in conversations.exported(user.pk):
        with archive.open(f"conversations/{row['id']}.json", "w", force_zip64=True) as target:
            target.write(_json(row)[:-1] + b', "messages": ')  # in place of the closing brace
            _write_array(target, messages, lambda _: None)
            target.write(b"}")
        done.conversations += 1
        progress(1)


def _add_documents(archive: ZipFile, user: User, done: Exported, progress: Progress) -> None:
    rows = []
    for row, file in documents.exported(user.pk):
        inside = f"documents/{row['id']}/{safe_filename(row['filename']) or row['id']}"
        try:
            with file.open("rb") as source, archive.open(inside, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target)
        except (OSError, ValueError):  # a name in the storage may be without a file, and a row without a name
            done.missing.append(str(row["filename"]))
            inside = ""
        rows.append(row | {"file": inside or None})
        done.documents += 1
        progress(1)
    archive.writestr("documents.json", _json(rows))


def _write_array(target: IO[bytes], rows: Iterable[dict[str, Any]], progress: Progress) -> int:
    """A JSON array, one element a line."""
    count = 0
    target.write(b"[")
    for row in rows:
        target.write((b",\n" if count else b"\n") + _json(row))
        count += 1
        progress(1)
    target.write(b"]")
    return count


def _json(value: Any) -> bytes:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False).encode()


def erase(user: User, *, progress: Progress) -> None:
    """Remove the user and all content; the ledger stays, without identity. Safe to repeat after an interruption.

    Raises:
        FilesLeft: the storage kept some files; all rows are gone.
    """
    User.objects.filter(pk=user.pk).update(is_active=False)  # nothing new comes in from here on
    user.api_keys.all().delete()
    _end_sessions(user)
    _blank_admin_log(conversations.owned_by(user.pk))
    for ids in conversations.delete(conversations.owned_by(user.pk)):
        progress(len(ids))
    _blank_admin_log(documents.owned_by(user.pk))
    left: documents.FilesLeft | None = None
    try:
        for ids in documents.erase(user.pk):
            progress(len(ids))
    except documents.FilesLeft as exc:
        left = exc
    for count in ledger.forget(user.pk):
        progress(count)
    with transaction.atomic():
        for _ in ledger.forget(user.pk):  # calls that ended meanwhile
            pass
        _blank_admin_log(User.objects.filter(pk=user.pk))
        User.objects.get(pk=user.pk).delete()
    if left:
        raise left


def _end_sessions(user: User) -> None:
    """Delete the user's sessions, which only their content tells from others."""
    for batch in in_batches(Session.objects.all(), size=ROWS_A_BATCH):
        own = [session.pk for session in batch if session.get_decoded().get("_auth_user_id") == str(user.pk)]
        Session.objects.filter(pk__in=own).delete()


def _blank_admin_log(rows: QuerySet[Any]) -> None:
    """The admin's log names what was changed: titles, file names, the username."""
    kind = ContentType.objects.get_for_model(rows.model)
    for batch in in_batches(rows.only("pk"), size=ROWS_A_BATCH):
        entries = LogEntry.objects.filter(content_type=kind, object_id__in=[str(row.pk) for row in batch])
        entries.update(object_repr="erased", change_message="")
