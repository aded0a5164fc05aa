"""Every command in the README, in the tour of the API and on the page about privacy is run as it is printed."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.service.running import ROOT, Service

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
ADDRESS = "http://127.0.0.1:8000"


def commands(page: str) -> list[str]:
    """The commands of a page, in order, one for each `curl` and `manage.py`."""
    blocks = BLOCK.findall((ROOT / page).read_text())
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith(("curl ", ".venv/bin/python "))]


def run(command: str, service: Service) -> str:
    command = command.replace(ADDRESS, service.url).replace("curl -s", "curl -sS --fail-with-body")
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=dict(service.environment), capture_output=True, text=True, check=False
    )
    expected_to_fail = "/999" in command
    assert (done.returncode != 0) == expected_to_fail, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_tour_runs_from_top_to_bottom(service: Service) -> None:
    steps = commands("docs/api.md")
    assert len(steps) > 15
    answers = {step: run(step, service) for step in steps}
    repeated = [answer for step, answer in answers.items() if "Idempotency-Key" in step]
    assert "idempotent-replayed: true" in repeated[1].lower()
    streamed = next(answer for step, answer in answers.items() if '"stream": true' in step)
    assert '"assistant_message_id":24}' in streamed
    grounded = next(json.loads(answer) for step, answer in answers.items() if '"document_ids": [6]' in step)
    citation = grounded["messages"][1]["citations"][0]
    assert (citation["document_id"], citation["quote_start"]) == (6, 0)
    assert citation["quote"] == "The shop opens at nine and closes at six."


def test_the_readmes_question_gets_a_grounded_answer_with_its_citation(service: Service) -> None:
    (step,) = commands("README.md")
    reply = json.loads(run(step, service))["messages"][1]
    assert reply["model_used"] == "offline"
    assert reply["citations"]
    assert "three years" in reply["content"]
    assert any("three years" in citation["quote"] for citation in reply["citations"])


def test_a_document_brings_its_suggested_questions_along(service: Service) -> None:
    (step,) = commands("docs/chat.md")
    assert json.loads(run(step, service))["metadata"] == {"questions": ["When does the shop open?"]}


def test_the_commands_about_privacy_say_what_they_did(service: Service) -> None:
    export, erase, purge = commands("docs/privacy.md")
    (ROOT / "var/demo.zip").unlink(missing_ok=True)
    try:
        assert "documents, " in run(export, service)
    finally:
        (ROOT / "var/demo.zip").unlink(missing_ok=True)
    assert "Nothing was changed" in run(erase, service)
    assert "Would delete 0 conversations" in run(purge, service)


@pytest.mark.parametrize("page", [str(path.relative_to(ROOT)) for path in PAGES])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    path: Path = ROOT / page
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), f"{page} links to {target}"
