"""The image, as far as it can be tried without a container engine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.deploy.tools import ROOT, needs, run

DOCKERFILE = (ROOT / "Dockerfile").read_text()


@needs("hadolint")
def test_the_dockerfiles_have_no_fault() -> None:
    run("hadolint", ROOT / "Dockerfile", ROOT / "deploy/pgbouncer/Dockerfile")


def test_what_is_copied_into_the_image_starts_there(tmp_path: Path) -> None:
    last_stage = DOCKERFILE.rpartition("FROM ")[2]
    copied = [line.split()[1:-1] for line in last_stage.splitlines() if re.match(r"COPY (?!--from)", line)]
    for source in (ROOT / name for names in copied for name in names):
        if source.is_dir():
            shutil.copytree(source, tmp_path / source.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path)
    environment = {"SECRET_KEY": "unused", "DATABASE_URL": "sqlite://:memory:", "TMPDIR": str(tmp_path)}
    for command in (
        ["manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
        ["manage.py", "migrate", "--noinput", "--verbosity", "0"],
        ["-m", "gunicorn", "--check-config", "--config", "gunicorn.conf.py", "botgpt.wsgi"],
    ):
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "staticfiles/staticfiles.json").exists()


def test_what_is_copied_reaches_the_builder() -> None:
    """`.dockerignore` shuts everything out and lets in what is named."""
    let_in = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    copied = {
        name for line in DOCKERFILE.splitlines() if re.match(r"COPY (?!--from)", line) for name in line.split()[1:-1]
    }
    assert copied == let_in
    assert all((ROOT / name).exists() for name in let_in)


def test_it_runs_as_a_user_that_is_not_root_and_says_whether_it_lives() -> None:
    last_stage = DOCKERFILE.rpartition("FROM ")[2]
    assert re.search(r"^USER [1-9]\d*$", last_stage, re.MULTILINE)
    assert "HEALTHCHECK" in last_stage


def test_the_health_check_tells_a_live_service_from_a_dead_one(tmp_path: Path) -> None:
    from tests.service.running import free_port, running

    match = re.search(r'HEALTHCHECK .*\\\n    CMD \["python", "-c", "(.*)"\]', DOCKERFILE)
    assert match
    program = match[1].replace('\\"', '"')

    def check(port: str) -> int:
        command = [sys.executable, "-c", program]
        return subprocess.run(command, env={"PORT": port}, capture_output=True, check=False).returncode

    with running(tmp_path, ALLOWED_HOSTS="chat.example.com", DEBUG="false", GROQ_API_KEY="x") as service:
        assert check(service.url.rpartition(":")[2]) == 0
    assert check(str(free_port())) != 0
