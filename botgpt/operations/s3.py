"""Uploaded files in a bucket that speaks S3, by setting. They leave it through the API alone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NoReturn

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends import s3

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.files import File

MEMORY_BYTES = 5 * 2**20  # of a file that is read; what is longer goes to a temporary file


class S3Storage(s3.S3Storage):
    """django-storages' S3, with a deadline, without addresses, and with errors that others know.

    Raises:
        ConnectionError: from every method, when the bucket does not answer or refuses.
    """

    def __init__(self, *, endpoint_url: str | None, **options: Any) -> None:
        client_config = Config(
            connect_timeout=5,
            read_timeout=20,
            retries={"total_max_attempts": 3, "mode": "standard"},
            signature_version="s3v4",
            s3={"addressing_style": "path" if endpoint_url else "auto"},  # other servers know no names of buckets
            request_checksum_calculation="when_required",  # nor the newer checksums
            response_checksum_validation="when_required",
        )
        super().__init__(
            endpoint_url=endpoint_url,
            client_config=client_config,
            default_acl=None,  # private, as the bucket is
            file_overwrite=True,  # names are random: nobody asks first whether one is taken
            max_memory_size=MEMORY_BYTES,
            **options,
        )

    def url(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: whoever has an address needs no permission any more.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("Files are downloaded through the API.")

    def delete(self, name: str) -> None:
        """Delete a file; one that is not there is none the less deleted."""
        with _known_errors():
            super().delete(name)

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        with _known_errors():
            file: File[bytes] = super()._open(name, mode)
            file.open()  # fetched now, where a failure can still become an answer
        return file

    def _save(self, name: str, content: IO[Any]) -> str:
        with _known_errors():
            return str(super()._save(name, content))


@contextmanager
def _known_errors() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as exc:
        raise ConnectionError(f"The bucket for files does not work: {exc}") from exc
