"""Programs that check files of the deployment; a test of one that is not on the machine is skipped by its name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def needs(program: str) -> pytest.MarkDecorator:
    """Skips where the program is missing."""
    return pytest.mark.skipif(not found(program), reason=f"{program} is not installed")


def found(program: str) -> str | None:
    """Where it is: on the path, beside this Python, or where Debian puts servers."""
    beside = str(Path(sys.executable).parent)
    return shutil.which(program) or shutil.which(program, path=f"{beside}:/usr/sbin:/usr/local/sbin")


def run(program: str, *arguments: str | Path, **options: Any) -> str:
    """What it printed; fails with that when it finds fault."""
    path = found(program)
    assert path
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout + done.stderr)
