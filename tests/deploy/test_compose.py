"""docker-compose.yml against the schema of Compose, and against the files and variables that it names."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.deploy.tools import ROOT, needs, run

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, Any] = yaml.safe_load(TEXT)["services"]


@needs("check-jsonschema")
def test_it_is_a_compose_file() -> None:
    run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml")


def test_every_file_that_is_mounted_or_built_from_exists() -> None:
    paths = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])]
    builds = [service["build"] for service in SERVICES.values() if isinstance(service.get("build"), str)]
    local = [path for path in paths if path.startswith("./")] + builds
    assert len(local) >= 5
    assert [path for path in local if not (ROOT / path).exists()] == []


def test_every_variable_is_explained() -> None:
    named = set(re.findall(r"\$\{([A-Z0-9_]+)", TEXT))
    explained = set(re.findall(r"`([A-Z0-9_]+)`", (ROOT / "docs/operations.md").read_text()))
    assert named - explained == set()


def test_only_the_proxy_is_reached_from_outside() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports.pop("nginx") == ["80:80", "443:443"]
    assert all(port.startswith("127.0.0.1:") for found in ports.values() for port in found)


@pytest.mark.parametrize("name", ["web", "db", "pgbouncer", "redis"])
def test_what_others_wait_for_says_whether_it_lives(name: str) -> None:
    waited_for = {
        dependency: wish["condition"]
        for service in SERVICES.values()
        if isinstance(service.get("depends_on"), dict)
        for dependency, wish in service["depends_on"].items()
    }
    assert waited_for[name] == "service_healthy"
    assert name == "web" or "healthcheck" in SERVICES[name]  # that of web is in the image


def test_a_stopping_service_has_time_for_its_turns(tmp_path: Path) -> None:
    program = "import runpy; print(runpy.run_path('gunicorn.conf.py')['graceful_timeout'])"
    environment = {"TMPDIR": str(tmp_path)}
    graceful = int(run(sys.executable, "-c", program, cwd=ROOT, env=environment))
    assert int(SERVICES["web"]["stop_grace_period"].rstrip("s")) > graceful
