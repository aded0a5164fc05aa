"""Every command in the README and under docs/ is run as it is printed, or is in a short list that says why not."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.service.pages import NAMES, anchors, blocks, links
from tests.service.running import ROOT, Service, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADDRESS = "http://127.0.0.1:8000"
# How the commands begin that are not run, and why.
NOT_RUN = {
    "make run": "it serves until Ctrl-C; tests/service/running.py starts what it starts",
    "make check": "it runs these tests",
    "make bench-": "it measures for minutes",
    "docker compose": "it needs a container engine",
    "npx newman": "it comes from npm; make check-clients runs it",
    ".venv/bin/python manage.py evaluate_retrieval cranfield --server": "its server is a placeholder",
    ".venv/bin/python manage.py evaluate_retrieval --compare here.jsonl": "it compares with what that wrote",
}
# What is printed by commands that have these words. Of the others it is enough that they succeed.
PRINTS = {
    "api/v1/conversations/999": "Conversation not found",
    '"questions": ["When does': '"questions":[',
    "health/ready": '"status": "ready"',
    "create_api_key demo --name reports": "demo, read, valid until",
    "manage.py ingest docs/ --user demo --json": '"unchanged":',
    "manage.py ingest docs/": "added",
    "chat --conversation 1": "service-and-spare-parts.docx",
    "chat docs/privacy.md": "[1] privacy.md",
    "--json": '"conversation_id":',
    "export_user": "documents, ",
    "erase_user": "Nothing was changed",
    "purge": "Would delete 0 conversations",
    "--compare keywords.jsonl": "ndcg@10",
    "evaluate_retrieval": "ndcg@10",
    "openapi-python-client": "Generating",
}
LANGUAGES = {"console", "python", "json", "sql", ""}
COLLECTIONS = ("cranfield", "xquad_en", "xquad_de", "xquad_zh", "mtrag", "spans", "path/to/folder")
WITH_COMMANDS = [page for page in NAMES if any(block.language in {"console", "python"} for block in blocks(page))]


class Reader:
    """Someone who pastes the commands of a page, in a folder that looks like the project's."""

    def __init__(self, folder: Path, service: Service) -> None:
        self.folder, self.service = folder, service
        for path in ROOT.iterdir():
            if path.name not in {"var", ".env", ".git"}:
                (folder / path.name).symlink_to(path)
        (folder / "var").mkdir()
        for name in COLLECTIONS:
            (folder / name).mkdir(parents=True)
            (folder / name / "corpus.jsonl").write_text(
                '{"_id": "a", "title": "", "text": "The ferry leaves at seven."}\n'
            )
            (folder / name / "queries.jsonl").write_text('{"_id": "q", "text": "Is the ferry late?"}\n')
            (folder / name / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\ta\t1\n")

    def paste(self, command: str) -> str:
        """What it prints."""
        command = command.replace(ADDRESS, self.service.url).replace("curl -s", "curl -sS --fail-with-body")
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=self.folder,
            env=dict(self.service.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        is_meant_to_fail = "/999" in command
        assert (done.returncode != 0) == is_meant_to_fail, f"{command}\n{done.stdout}\n{done.stderr}"
        expected = next((PRINTS[words] for words in PRINTS if words in command), "")
        assert expected in done.stdout, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def paste_page(self, page: str) -> Iterator[tuple[str, str]]:
        """The commands of the page, and what each printed."""
        for block in blocks(page):
            if block.language == "python":
                program = self.folder / "program.py"
                program.write_text(block.text.replace(ADDRESS, self.service.url))
                yield block.text, self.paste(".venv/bin/python program.py")
            if block.language == "console":
                for command in block.commands:
                    if not command.startswith(tuple(NOT_RUN)):
                        yield command, self.paste(command)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    (tmp_path / "project").mkdir()
    with running(tmp_path) as service:
        yield Reader(tmp_path / "project", service)


@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_every_command_of_a_page_runs(page: str, reader: Reader) -> None:
    ran = dict(reader.paste_page(page))
    if page == "README.md":
        check_readme(ran, reader)
    if page == "docs/api.md":
        check_tour(ran)
    if page == "docs/clients/README.md":
        assert any("three years" in printed for printed in ran.values())


def check_readme(ran: dict[str, str], reader: Reader) -> None:
    (question,) = [command for command in ran if command.startswith("curl")]
    reply = json.loads(ran[question])["messages"][1]
    assert reply["model_used"] == "offline"
    assert "three years" in reply["content"]
    assert any("three years" in citation["quote"] for citation in reply["citations"])
    assert (reader.folder / ".env").read_text() == "GROQ_API_KEY=gsk_...\n"


def check_tour(ran: dict[str, str]) -> None:
    assert len(ran) > 15
    repeated = [printed for command, printed in ran.items() if "Idempotency-Key" in command]
    assert "idempotent-replayed: true" in repeated[1].lower()
    streamed = next(printed for command, printed in ran.items() if '"stream": true' in command)
    assert '"assistant_message_id":24}' in streamed
    grounded = next(json.loads(printed) for command, printed in ran.items() if '"document_ids": [6]' in command)
    citation = grounded["messages"][1]["citations"][0]
    assert (citation["document_id"], citation["quote_start"]) == (6, 0)
    assert citation["quote"] == "The shop opens at nine and closes at six."


def test_the_list_of_what_is_not_run_holds_nothing_else() -> None:
    commands = [
        command for page in NAMES for block in blocks(page) if block.language == "console" for command in block.commands
    ]
    assert [start for start in NOT_RUN if not any(command.startswith(start) for command in commands)] == []
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {command.split()[1] for command in commands if command.startswith("make ")} <= targets


@pytest.mark.parametrize("page", NAMES)
def test_blocks_say_what_they_are_and_json_is_json(page: str) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES, block.text
        assert block.language or "manage.py" not in block.text, "commands stand in a console"
        if block.language == "json":
            json.loads(block.text)


@pytest.mark.parametrize("page", NAMES)
def test_links_between_pages_lead_to_what_is_there(page: str) -> None:
    for link in links(page):
        target, _, anchor = link.partition("#")
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), f"{page} links to {link}"
        assert not anchor or anchor in anchors(path), f"{page} links to {link}"


def test_every_page_is_one_click_from_the_readme() -> None:
    reached = set(links("README.md")) | {f"docs/decisions/{link}" for link in links("docs/decisions/README.md")}
    pages = {page for page in NAMES if page.startswith("docs/")}
    assert pages - {link.partition("#")[0] for link in reached} == set()
    pictures = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.png")}
    assert pictures - reached == set()
