"""Sends that can be repeated: the same key and body within a day is the same turn, however often it comes.

The rule is a unique constraint. The key is stored in the transaction that opens the turn, so there is never a key
without its turn nor a second turn for a key.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
from django.utils import timezone

from .models import IdempotencyKey

if TYPE_CHECKING:
    from .models import Message

LIFETIME: Final = dt.timedelta(hours=24)


class KeyReused(Exception):
    """The key came before with another request."""


@dataclass(frozen=True, slots=True)
class Once:
    """A request that its sender may repeat.

    Attributes:
        fingerprint: of all that must be the same for it to be the same request.
    """

    user_id: int
    key: str
    fingerprint: str

    @classmethod
    def of(cls, *, user_id: int, key: str, method: str, path: str, body: Any) -> Once:
        canonical = orjson.dumps([method, path, body], option=orjson.OPT_SORT_KEYS)
        return cls(user_id, key, hashlib.sha256(canonical).hexdigest())

    def earlier_reply(self) -> Message | None:
        """The reply that this request has already got, or is getting.

        Raises:
            KeyReused: the key belongs to another request.
        """
        known = IdempotencyKey.objects.select_related("reply__conversation", "reply__parent").filter(
            user_id=self.user_id, key=self.key
        )
        if (record := known.first()) is None:
            return None
        if record.created_at < timezone.now() - LIFETIME:
            record.delete()
            return None
        if record.fingerprint != self.fingerprint:
            raise KeyReused
        return record.reply

    @staticmethod
    def forget_expired() -> int:
        """Delete the keys that no repetition can mean any more; how many."""
        return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - LIFETIME).delete()[0]

    def record(self, reply: Message) -> None:
        """Store the key; part of the transaction that opens the turn.

        Raises:
            IntegrityError: another request with this key was faster.
        """
        IdempotencyKey.objects.create(user_id=self.user_id, key=self.key, fingerprint=self.fingerprint, reply=reply)
