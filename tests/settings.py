"""The settings of the test run: nothing from the outside but the database's address."""

import os

from tests.postgresql import start_postgresql

os.environ |= {
    "DEBUG": "false",
    "DATABASE_URL": "sqlite://:memory:",
    "SECRET_KEY": "only-for-tests",
    "HTTPS": "false",
    "GROQ_API_KEY": "",
    "LLM_CHAIN": "groq/small,groq/large",
    # Tests begin with the same ids again and again; those that are about limits set their own.
    **dict.fromkeys(["LIMIT_READS", "LIMIT_TURNS", "LIMIT_UPLOADS", "LIMIT_ANONYMOUS", "LIMIT_LOGINS"], ""),
}

if os.environ.get("TEST_ENGINE") == "postgresql":
    os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or start_postgresql()

from botgpt.settings import *  # noqa: F403

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}  # noqa: F405  else pytest-django gives each process a file

# Static files come from where they are written; nothing is collected for a test.
STATIC_ROOT = None  # type: ignore[assignment]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405

# Argon2 is slow on purpose; no test is about the strength of a hash.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
