"""The files under docs/clients are current, and every request in them works; so do programs with generated clients.

What comes from npm is tested where `make check-clients` has installed it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import jsonschema
import pytest

from tests.openapi import document, operations

from . import postman, requests_file
from .story import STORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.service.running import Service

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "clients"
PROGRAMS = HERE / "programs"
TOOLS = HERE.parents[1] / "var" / "clients" / "node_modules"
DEFINITION = re.compile(r"^@(\w+) =\s?(.*)$")
REFERENCE = re.compile(r"(\w+)\.response\.body\.\$(.*)")
needs_npm = pytest.mark.skipif(not TOOLS.exists(), reason="its tools are not installed: make check-clients")


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def definitions(lines: Iterable[str]) -> dict[str, str]:
    return {found[1]: found[2] for line in lines if (found := DEFINITION.match(line))}


def test_every_operation_is_in_the_story() -> None:
    assert {step.operation for step in STORY} == {operation.id for operation in operations()}


def test_the_committed_files_are_current() -> None:
    assert (DOCS / "botgpt.postman_collection.json").read_text() == postman.text(), "run make clients"
    assert (DOCS / "botgpt.http").read_text() == requests_file.text(), "run make clients"


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60) as client:
        yield client


def test_every_request_of_the_file_works(service: Service, key: str, client: httpx.Client) -> None:
    """Sent from top to bottom, read as the REST Client reads it."""
    answers: dict[str, httpx.Response] = {}
    variables: dict[str, str] = {}

    def filled(text: str) -> str:
        return re.sub(r"\{\{(.*?)\}\}", lambda match: value_of(match[1]), text)

    def value_of(name: str) -> str:
        if reference := REFERENCE.fullmatch(name):
            value = answers[reference[1]].json()
            for part in re.findall(r"\w+", reference[2]):
                value = value[int(part) if part.isdigit() else part]
            return str(value)
        return filled(variables[name])

    head, *blocks = (DOCS / "botgpt.http").read_text().split("\n###")
    variables = definitions(head.splitlines()) | {"baseUrl": service.url, "apiKey": key}
    for block in blocks:
        above, _, body = block.partition("\n\n")
        title, *lines = above.splitlines()
        variables |= definitions(lines)
        name = next((line.removeprefix("# @name ") for line in lines if line.startswith("# @name ")), "")
        first, *headers = [line for line in lines if not line.startswith(("#", "@"))]
        method, _, address = filled(first).partition(" ")
        answer = client.request(
            method, address, headers=dict(filled(line).split(": ") for line in headers), content=filled(body)
        )
        assert answer.is_success, f"{title}: {answer.status_code} {answer.text}"
        answers[name] = answer
    assert len(blocks) == len(STORY)


def test_the_collection_keeps_the_format() -> None:
    """What version 2.1 of the format asks for, in its own words' essence."""
    item = {
        "type": "object",
        "required": ["name", "request", "event"],
        "properties": {
            "request": {
                "type": "object",
                "required": ["method", "url", "header"],
                "properties": {"url": {"required": ["raw", "host", "path"]}, "body": {"required": ["mode", "raw"]}},
            }
        },
    }
    folder = {"required": ["name", "item"], "properties": {"item": {"type": "array", "minItems": 1, "items": item}}}
    kept = {"required": ["info", "item", "variable"], "properties": {"item": {"type": "array", "items": folder}}}
    jsonschema.validate(postman.collection(), kept)


@needs_npm
def test_newman_runs_the_collection(service: Service, key: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    collection = DOCS / "botgpt.postman_collection.json"
    run(
        *(TOOLS / ".bin" / "newman", "run", collection, "--reporters", "json", "--reporter-json-export", report),
        *("--env-var", f"baseUrl={service.url}", "--env-var", f"apiKey={key}"),
        cwd=tmp_path,
    )
    ran = json.loads(report.read_text())["run"]
    assert ran["stats"]["requests"]["total"] == ran["stats"]["assertions"]["total"] == len(STORY)
    assert ran["failures"] == []


def test_a_program_with_the_generated_python_client(service: Service, key: str, tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(document()))
    (tmp_path / "config.yaml").write_text("project_name_override: botgpt-client\npost_hooks: []\n")
    generator = Path(sys.executable).with_name("openapi-python-client")
    said = run(
        *(generator, "generate", "--path", "openapi.json", "--config", "config.yaml", "--fail-on-warning"),
        *("--meta", "none", "--output-path", "botgpt_client"),
        cwd=tmp_path,
    )
    assert "Warning" not in said
    shutil.copy(PROGRAMS / "program.py", tmp_path)
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = true\n[mypy-botgpt_client.*]\nignore_errors = true\n")
    run(sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "program.py", cwd=tmp_path)
    run(sys.executable, "program.py", service.url, key, cwd=tmp_path)


@needs_npm
def test_a_program_with_generated_typescript_types(service: Service, key: str, tmp_path: Path) -> None:
    for file in PROGRAMS.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    (tmp_path / "node_modules").symlink_to(TOOLS)
    (tmp_path / "openapi.json").write_text(json.dumps(document()))
    run("node", "types.mjs", "openapi.json", "botgpt.d.ts", cwd=tmp_path)
    run(TOOLS / ".bin" / "tsc", "--project", "tsconfig.json", cwd=tmp_path)
    run("node", "program.js", service.url, key, cwd=tmp_path)
