"""The demo that `seed` sets up: the names that others print, and where its documents are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Login:
    """A login that is no secret: it exists in development alone."""

    username: str
    password: str


USERNAME: Final = "demo"
ADMIN_LOGIN: Final = Login("admin", "botgpt-development")
QUESTION: Final = "How long is the warranty on the Alta?"
FOLDER: Final = Path(__file__).with_name("documents")


def demo_documents() -> list[int]:
    """The ids of the demo's documents that can be asked, oldest first; empty before `seed`."""
    from documents.models import Document

    names = [path.name for path in FOLDER.iterdir()]
    ready = Document.objects.ready().filter(owner__username=USERNAME, filename__in=names)
    return list(ready.order_by("id").values_list("id", flat=True))
