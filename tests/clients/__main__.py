"""`python -m tests.clients` writes the collection and the file of requests anew."""

from __future__ import annotations

import sys
from pathlib import Path

import django

django.setup()

from tests.clients import postman, requests_file  # noqa: E402  they read the OpenAPI document

FOLDER = Path("docs/clients")

for name, text in (("botgpt.postman_collection.json", postman.text()), ("botgpt.http", requests_file.text())):
    (FOLDER / name).write_text(text)
    sys.stdout.write(f"{FOLDER / name}\n")
