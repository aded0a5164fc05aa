"""Follows a reply as it is written, in whichever process that happens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from documents.connections import release_connection
from documents.elsewhere import elsewhere

from . import running
from .abandoned import give_up_if_abandoned
from .models import Message
from .running import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

POLL_SECONDS: Final = 0.2


def follow(reply_id: int, *, pause: float) -> Iterator[Progress]:
    """How far the reply has come: at once, at every change, and after every `pause` seconds without one.

    It ends with the progress that `has_ended`. A reply whose process is gone is given up on the way.
    """
    here = running.find(reply_id)
    progress = here.progress if here else _stored(reply_id)
    while True:
        release_connection()  # nothing is held while waiting, nor while the client takes what there is
        yield progress
        if progress.has_ended:
            return
        if here:
            with elsewhere():
                progress = here.wait(beyond=progress, seconds=pause)
        else:
            progress = _changed(reply_id, beyond=progress, seconds=pause)


def wait_until_ended(reply_id: int) -> None:
    """Return when nothing more of the reply will come."""
    for _ in follow(reply_id, pause=60.0):
        pass


def _changed(reply_id: int, *, beyond: Progress, seconds: float) -> Progress:
    until = time.monotonic() + seconds
    while (progress := _stored(reply_id)) == beyond and time.monotonic() < until:
        release_connection()
        with elsewhere():
            time.sleep(POLL_SECONDS)
    return progress


def _stored(reply_id: int) -> Progress:
    """What its row says; a row that is gone has ended."""
    fields = ("id", "conversation_id", "content", "restarts", "status", "updated_at", "job", "created_at")
    row = Message.objects.only(*fields).filter(pk=reply_id).first()
    if row is None:
        return Progress(has_ended=True)
    is_running = row.status == Message.Status.IN_PROGRESS and not give_up_if_abandoned(row)
    return Progress(row.content, row.restarts, has_ended=not is_running)
