"""Why a file is not taken, or cannot be read. Nothing here knows HTTP; every message is meant for the uploader."""

from __future__ import annotations


class RejectedFile(Exception):
    """A file that is refused before anything of it is stored."""


class EmptyFile(RejectedFile):
    """It has no bytes."""


class FileTooLarge(RejectedFile):
    """It has more than `MAX_UPLOAD_BYTES`."""


class UnsupportedFile(RejectedFile):
    """Its bytes are of a kind that is not read here."""


class MislabelledFile(RejectedFile):
    """Its name promises another kind of file than its bytes are."""


class DuplicateFile(RejectedFile):
    """Another document of the same owner has the very same bytes."""


class DocumentChanged(Exception):
    """The document was deleted or got a new version while it was worked on."""

    def __init__(self) -> None:
        super().__init__("The document was changed or deleted at the same time.")


class ExtractionError(Exception):
    """A file was taken but no text could be read from it; `reason` says why, as sentences for the uploader."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
