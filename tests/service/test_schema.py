"""The OpenAPI document against the running service: what it promises is what happens, for any input."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.service.running import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service.running import Service


def test_every_operation_keeps_its_promise(service: Service, tmp_path: Path) -> None:
    # Which documents and conversations exist is not in a schema, so a valid body may be refused all the same.
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/api/v1/schema"),
            *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
            *("--max-examples", "25", "--generation-deterministic", "--no-color"),
        ],
        cwd=tmp_path,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.service.wire_events", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
