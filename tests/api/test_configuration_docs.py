"""docs/configuration.md lists every variable that the code reads, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
SEED = ROOT / "botgpt/operations/management/commands/seed.py"


def test_every_variable_is_documented_and_every_documented_one_exists() -> None:
    code = (ROOT / "botgpt/settings.py").read_text() + (ROOT / "gunicorn.conf.py").read_text() + SEED.read_text()
    read = set(re.findall(r"env\.\w+\(\s*['\"]([A-Z0-9_]+)", code)) | set(
        re.findall(r'environ\.get\([\'"]([A-Z0-9_]+)', code)
    )
    tables = re.findall(r"^\| (`[^|]+) \|", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE)
    documented = set(re.findall(r"`([A-Z0-9_]+)`", " ".join(tables)))
    assert read - {"BOTGPT_BANNER", "PROMETHEUS_MULTIPROC_DIR"} == documented  # those two are set by us
