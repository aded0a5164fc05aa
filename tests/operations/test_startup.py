"""What starts the project does not wait for what it does not use."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.service.running import ROOT

# SDKs, models and readers of files, which take from 50 ms to over a second to import.
LATER = (
    *("groq", "genai_prices", "pydantic", "wordllama", "tokenizers", "safetensors", "fastembed"),
    *("openpyxl", "docx", "lxml", "pypdfium2", "selectolax", "celery", "boto3", "opentelemetry.sdk", "sentry_sdk"),
)


@pytest.mark.parametrize("command", ["check", "showmigrations"])
def test_a_command_imports_no_sdk_no_model_and_no_reader_of_files(command: str) -> None:
    script = f"import sys, django; django.setup(); from django.core.management import call_command; \
call_command({command!r}, stdout=sys.stderr); print(*(name for name in {LATER!r} if name in sys.modules))"
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "botgpt.settings",
        "SECRET_KEY": "only-for-tests",
        "DATABASE_URL": "sqlite://:memory:",
        "GROQ_API_KEY": "gsk_0123456789",
        "ANONYMOUS_USER": "",
    }
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == []


def test_a_worker_finds_every_view_imported_before_the_fork() -> None:
    script = """
import os, runpy, shutil, sys
configured = runpy.run_path("gunicorn.conf.py")
import botgpt.wsgi
configured["pre_fork"](None, None)
before = set(sys.modules)
from django.test import Client
assert Client().get("/api/v1/conversations", HTTP_HOST="127.0.0.1").status_code == 401
configured["on_exit"](None)
print(*(name for name in set(sys.modules) - before if name.endswith((".urls", ".views"))))
"""
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "botgpt.settings",
        "SECRET_KEY": "only-for-tests",
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS": "false",
        "DATABASE_URL": "sqlite://:memory:",
        "GROQ_API_KEY": "gsk_0123456789",
        "ANONYMOUS_USER": "",
    }
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert [line for line in ran.stdout.splitlines() if not line.startswith("{")] in ([], [""])
