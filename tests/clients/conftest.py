"""A running service with the demo, and a key for it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.service.running import ROOT, Service, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture(scope="session")
def key(service: Service) -> str:
    command = [sys.executable, "manage.py", "create_api_key", "demo", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, env=dict(service.environment), capture_output=True, text=True, check=True)
    return done.stdout.strip()
