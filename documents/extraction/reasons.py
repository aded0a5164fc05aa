"""Why files fail, in sentences for the uploader that more than one part of the extraction uses."""

from typing import Final

DAMAGED: Final = "The file is damaged and cannot be read."
ENCRYPTED: Final = "The file is protected with a password. Remove the protection and upload it again."
NO_TEXT: Final = "The file contains no text."
SCANNED: Final = (
    "The PDF contains no text; it seems to be a scan. Run text recognition (OCR) on it and upload the result."
)
TOO_NESTED: Final = "The file is nested too deeply."
TOO_SLOW: Final = "Reading the file took too long; it is too complex or damaged."
TOO_MUCH_MEMORY: Final = "Reading the file needed too much memory; it is too complex or damaged."
CRASHED: Final = "The file cannot be read: it is damaged, or reading it needs too much memory."
BUSY: Final = "Too many other files were being read at the same time. Upload the file again."
