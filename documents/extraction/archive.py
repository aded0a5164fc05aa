"""Looks through a ZIP archive before a library unpacks it: Office files are archives, and archives can be bombs."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from documents.errors import ExtractionError

from .reasons import DAMAGED, ENCRYPTED

if TYPE_CHECKING:
    from pathlib import Path

BLOCK_BYTES = 2**16
MAX_MEMBERS = 10_000
ENCRYPTED_FLAG = 0x1


def check_archive(path: Path, *, max_bytes: int) -> None:
    """Make sure that the archive unpacks to at most `max_bytes` and is whole.

    The sizes in an archive's directory are claims: they are summed first, which refuses an honest bomb at no cost, and
    then every member is unpacked in small blocks, where a member that is larger than claimed fails its checksum.

    Raises:
        ExtractionError: it is too large, encrypted or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise ExtractionError(f"The file is an archive of more than {MAX_MEMBERS:,} parts.")
            if sum(member.file_size for member in members) > max_bytes:
                raise ExtractionError(f"Unpacked, the file has more than {max_bytes:,} bytes.")
            if any(member.flag_bits & ENCRYPTED_FLAG for member in members):
                raise ExtractionError(ENCRYPTED)
            for member in members:
                with archive.open(member) as part:
                    while part.read(BLOCK_BYTES):
                        pass
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError, ValueError) as exc:
        raise ExtractionError(DAMAGED) from exc
