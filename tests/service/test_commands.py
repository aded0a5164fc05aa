"""Our commands as a person runs them: in processes of their own, at a terminal and through pipes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command

from conversations.management.commands import chat
from documents import terminal
from tests.provider_server import PROVIDER_KEY, ProviderServer, reply, writes
from tests.service.running import ROOT
from tests.service.terminals import CTRL_C, CTRL_D, at_a_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = {path.stem: path for path in ROOT.glob("*/**/management/commands/[a-z]*.py") if ".venv" not in path.parts}
WARRANTY = "The warranty of the Alta is three years from the day of purchase."
COLOUR = "\x1b["
Environment = dict[str, str]


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, provider: ProviderServer) -> Environment:
    """A database with the demo, and a model."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "manual.txt").write_text(WARRANTY)
    environment = {
        "DEBUG": "true",
        "SECRET_KEY": "only-for-tests",
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "MEDIA_ROOT": str(folder / "media"),
        "GROQ_BASE_URL": provider.url,
        "GROQ_API_KEY": PROVIDER_KEY,
        "LLM_CHAIN": "groq/small,groq/large",
        "LOG_LEVEL": "ERROR",
        "FOLDER": str(folder),
    }
    run(environment, "migrate", "--verbosity", "0")
    run(environment, "seed")
    return environment


@pytest.fixture(autouse=True)
def nothing_planned(provider: ProviderServer) -> None:
    provider.forget()


def run(environment: Environment, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Through pipes."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120, **options
    )


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_command_shares_one_way_of_speaking_and_shows_examples(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    module = ".".join(NAMES[name].relative_to(ROOT).with_suffix("").parts)
    assert issubclass(import_module(module).Command, terminal.Command)
    with pytest.raises(SystemExit):
        call_command(name, "--help")
    shown = capsys.readouterr().out
    assert f"examples:\n  manage.py {name}" in shown
    assert ("--json" in shown) == (name != "serve")


def test_a_database_without_tables_is_explained_without_a_traceback(environment: Environment, tmp_path: Path) -> None:
    done = run(environment | {"DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"}, "purge", "--older-than", "9d")
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: The database cannot be used: no such table: conversations.")
    assert "manage.py migrate" in done.stderr
    assert "Traceback" not in done.stderr


def test_colour_is_for_terminals_and_for_those_who_want_it(environment: Environment) -> None:
    ingest = ("ingest", f"{environment['FOLDER']}/manual.txt")
    assert COLOUR not in run(environment, *ingest).stdout
    assert COLOUR in run(environment, *ingest, "--force-color").stdout
    for more, switches, is_coloured in (({}, (), True), ({"NO_COLOR": "1"}, (), False), ({}, ("--no-color",), False)):
        with at_a_terminal(*ingest, *switches, environment=environment | more) as shell:
            status, screen = shell.wait_until_ended()
        assert status == 0
        assert "0/1" in screen  # the bar
        assert (COLOUR + "3" in screen) == is_coloured


def test_results_are_json_for_programs_and_nothing_else_is_printed(environment: Environment, tmp_path: Path) -> None:
    manual = f"{environment['FOLDER']}/manual.txt"
    for arguments, key in (
        (("seed",), "demo"),
        (("ingest", manual), "files"),
        (("reindex",), "reindexed"),
        (("purge", "--older-than", "52w", "--dry-run"), "deleted"),
        (("create_api_key", "demo", "--expires", "9d"), "token"),
        (("export_user", "demo", "--output", str(tmp_path / "demo.zip")), "documents"),
        (("erase_user", "demo", "--dry-run"), "deleted"),
    ):
        done = run(environment, *arguments, "--json")
        assert (done.returncode, done.stderr) == (0, ""), arguments
        assert key in json.loads(done.stdout)


def test_ctrl_c_ends_a_command_without_a_traceback(environment: Environment) -> None:
    with at_a_terminal("erase_user", "demo", environment=environment) as shell:
        shell.wait_for("Type the username to go on: ")
        shell.interrupt()
        status, screen = shell.wait_until_ended()
    assert status == terminal.INTERRUPTED == 128 + signal.SIGINT
    assert "CommandError: Stopped." in screen
    assert "Traceback" not in screen


def test_a_chat_streams_and_ctrl_c_stops_the_reply_but_not_the_chat(
    environment: Environment, provider: ProviderServer
) -> None:
    provider.will(writes("Three ", "years [1]. ", *["and on "] * 500, gap=0.1), reply("As I said [1]."))
    with at_a_terminal("chat", environment["FOLDER"] + "/manual.txt", environment=environment) as shell:
        shell.wait_for("Ctrl-C stops a reply, Ctrl-D ends.")
        shell.wait_for(chat.PROMPT)
        shell.type("How long is the warranty?\n")
        shell.wait_for("Three ")
        shell.wait_for("and on and on")
        shell.type(CTRL_C)
        shell.wait_for("(stopped)")
        shell.wait_for(f"[1] manual.txt: “{WARRANTY}”")
        shell.wait_for(chat.PROMPT)
        time.sleep(0.5)  # readline shows the prompt a moment before it heeds signals
        shell.type(CTRL_C)
        shell.wait_for("Ctrl-D ends.")
        shell.type("Once more?\n")
        shell.wait_for("As I said [1].")
        shell.wait_for(f"[1] manual.txt: “{WARRANTY}”")
        shell.wait_for(chat.PROMPT)
        shell.type(CTRL_D)
        kept = shell.wait_for("Go on with --conversation ")
        status, screen = shell.wait_until_ended()
    assert "Kept as conversation" in kept
    assert status == 0
    number = screen.split(".")[0]
    again = run(environment, "chat", "--conversation", number, "--model", "large", "--json", input="And now?\n")
    line = json.loads(again.stdout)
    assert (line["conversation_id"], line["reply"]["model_used"]) == (int(number), "large")
    history = [message["content"] for message in provider.requests[-1].body["messages"]]
    assert "Once more?" in history


def test_an_answer_that_breaks_off_is_said_to_begin_anew(environment: Environment, provider: ProviderServer) -> None:
    provider.will(writes("Two ", "years ", gap=0.3, end="cut"), reply("Three years."))
    with at_a_terminal("chat", environment=environment) as shell:
        shell.wait_for(chat.PROMPT)
        shell.type("How long is the warranty?\n")
        shell.wait_for("another model begins anew")
        shell.wait_for("Three years.")
        shell.wait_for(chat.PROMPT)
        shell.type(CTRL_D)
        assert shell.wait_until_ended()[0] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--conversation", "999"), "demo has no conversation 999."),
        (("--model", "gpt-1"), "'gpt-1' is not configured. Known are groq/small, groq/large."),
        (("EMPTY",), "What can be read: plain text, Markdown"),
        (("EMPTY", "--conversation", "1"), "give PATH or --conversation"),
        (("--user", "zoe"), "There is no user 'zoe'. Users are, among others: demo"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    environment: Environment, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    done = run(environment, "chat", *[str(tmp_path) if a == "EMPTY" else a for a in arguments], input="")
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
