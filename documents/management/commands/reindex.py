"""`manage.py reindex`: bring documents up to the current index and embedding model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from documents import terminal
from documents.embeddings.base import EmbeddingsUnavailable
from documents.errors import DocumentChanged
from documents.models import Document
from documents.reindexing import outdated, reindex

if TYPE_CHECKING:
    from argparse import ArgumentParser


EPILOG = """\
It may be stopped at any time: the next run goes on with those that are left.

examples:
  manage.py reindex
  manage.py reindex 12 17
  manage.py reindex --all
"""


class Command(terminal.Command):
    """Indexes documents anew."""

    help = (
        "Index documents anew whose index is of an older version or whose vectors are of\n"
        "another model than the configured one."
    )
    epilog = EPILOG

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ids", nargs="*", type=int, metavar="ID", help="only these documents, current or not")
        parser.add_argument("--all", action="store_true", help="every document, current or not")

    def handle(self, *, ids: list[int], **options: Any) -> None:
        every = options["all"]
        if ids and every:
            raise CommandError("Name documents or give --all, not both.")
        ready = Document.objects.ready().order_by("id")
        if unknown := set(ids) - set(ready.filter(pk__in=ids).values_list("pk", flat=True)):
            raise CommandError(f"Not there, or not ready: {', '.join(map(str, sorted(unknown)))}.")
        keys = ids or (list(ready.values_list("pk", flat=True)) if every else outdated())
        all_of_it = bool(ids) or every
        done = [key for key in self.each(keys, unit="document") if self._reindex(key, all_of_it=all_of_it)]
        self.say(f"{len(done)} of {len(keys)} documents were indexed anew.")
        self.print_json({"reindexed": done, "left": [key for key in keys if key not in set(done)]})

    def _reindex(self, key: int, *, all_of_it: bool) -> bool:
        document = Document.objects.ready().filter(pk=key).first()
        if document is None:  # deleted meanwhile
            return False
        try:
            reindex(document, all_of_it=all_of_it)
        except DocumentChanged:
            self.note(f"{key}: changed meanwhile, and so left alone.", self.style.WARNING)
            return False
        except EmbeddingsUnavailable as exc:
            raise CommandError(f"{key}: {exc} Run this again when the engine is back.") from exc
        return True
