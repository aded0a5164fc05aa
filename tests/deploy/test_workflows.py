"""The workflow of GitHub: well formed, and the same commands as `make check`."""

from __future__ import annotations

import re
from itertools import chain
from typing import Any

import pytest
import yaml

from tests.deploy.tools import ROOT, needs, run

WORKFLOW = ROOT / ".github/workflows/ci.yml"
JOBS: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())["jobs"]
MAKEFILE = (ROOT / "Makefile").read_text()


@needs("check-jsonschema")
@pytest.mark.parametrize(
    ("schema", "path"), [("github-workflows", ".github/workflows/ci.yml"), ("dependabot", ".github/dependabot.yml")]
)
def test_it_has_the_form_that_github_reads(schema: str, path: str) -> None:
    run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", ROOT / path)


@needs("actionlint")
def test_its_expressions_and_scripts_have_no_fault() -> None:
    run("actionlint", WORKFLOW)


def test_it_runs_all_that_make_check_runs() -> None:
    check = re.search(r"^check: (.*?) ##", MAKEFILE, re.MULTILINE)
    assert check
    commands = [
        step["run"] for job in JOBS.values() for step in job["steps"] if step.get("run", "").startswith("make ")
    ]
    targets = set(chain.from_iterable(re.findall(r"\b[a-z-]+\b", command)[1:] for command in commands))
    targets |= set(JOBS["test"]["strategy"]["matrix"]["target"])
    assert set(check[1].split()) - targets == set()


def test_the_tests_run_on_every_python_that_is_promised() -> None:
    assert JOBS["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]


def test_an_image_is_made_only_of_what_was_tested() -> None:
    assert set(JOBS["image"]["needs"]) == {"checks", "test"}
