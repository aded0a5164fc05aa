"""A stored file goes when its document goes, however that happens: one by one, in bulk, or with its owner."""

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from .files import delete_after_commit
from .models import Document


@receiver(post_delete, sender=Document)
def delete_file(instance: Document, **_: Any) -> None:
    """Delete the file after the commit, so that a rollback loses nothing; a version that was not yet read goes too."""
    for name in (instance.file.name, (instance.staged or {}).get("file")):
        delete_after_commit(instance.file.storage, name or "")
