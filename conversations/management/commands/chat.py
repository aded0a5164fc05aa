"""`manage.py chat`: a conversation with a folder of documents, in the terminal or through a pipe."""

from __future__ import annotations

import re
import sys
from argparse import RawDescriptionHelpFormatter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from conversations.models import Conversation, Message
from conversations.opening import TurnInProgress
from conversations.turns import start_conversation, take_turn
from documents.management.commands.ingest import FAILED, files_in, ingest_file
from documents.models import Document
from llm.context import QuestionTooLong
from llm.providers import registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from django.core.management.base import CommandParser

    from botgpt.accounts.models import User

PROMPT = "> "
MARK = re.compile(r"\[(\d{1,3})\]")
NAMED = 5  # documents that are listed by name
EPILOG = """\
The documents are read once: those that the user has already are taken as they are. The conversation is stored and can
be read on with the API or in the admin.

examples:
  manage.py chat manuals/
  manage.py chat handbook.pdf --user alice
  echo "How many days of leave are there?" | manage.py chat policies/
"""


class Command(BaseCommand):
    """Asks, prints the reply with its sources, and asks again."""

    help = (
        "Talk to a folder of documents. Questions are read from the terminal, or one a line\n"
        "from a pipe; then the status is 1 if one of them got no answer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = EPILOG
        parser.add_argument("paths", metavar="PATH", nargs="+", type=Path, help="a file or a folder")
        parser.add_argument("--user", metavar="NAME", help="whose conversation it is (default: %(default)s)")
        parser.set_defaults(user=settings.ANONYMOUS_USER or None)

    def handle(self, *, paths: list[Path], user: str | None, **_: Any) -> None:
        owner = self._owner(user)
        documents = self._documents(paths, owner=owner)
        self._introduce(documents)
        conversation = None
        asked = answered = 0
        with suppress(KeyboardInterrupt):
            for question in self._questions():
                asked += 1
                conversation, reply = self._ask(question, conversation, owner=owner, documents=documents)
                answered += reply is not None and reply.status == Message.Status.COMPLETE
        if sys.stdin.isatty():
            self.stdout.write("")
        if conversation is not None:
            self._note(f"Kept as conversation {conversation.pk} of {owner.username}.", self.style.HTTP_INFO)
        if answered < asked and not sys.stdin.isatty():
            raise CommandError(f"{asked - answered} of {asked} questions got no answer.")

    def _note(self, text: str, style: Callable[[str], str]) -> None:
        """Something beside the conversation: on the error stream, so that a pipe gets the conversation alone."""
        self.stderr.write(text, style if self.stderr.isatty() else None)

    @staticmethod
    def _owner(name: str | None) -> User:
        if not name:
            raise CommandError("Say whose conversation it is: --user NAME.")
        user: User | None = get_user_model().objects.filter(username=name).first()
        if user is None:
            raise CommandError(
                f"No user is called {name!r}. Make one in the admin, or run `manage.py seed` for a demo."
            )
        return user

    def _documents(self, paths: Iterable[Path], *, owner: User) -> list[Document]:
        """The documents that can be asked; what could not be read is told, and is no reason to stop."""
        files = list(files_in(paths))
        outcomes = [ingest_file(path, owner=owner) for path in tqdm(files, unit="file", disable=None, leave=False)]
        for outcome in outcomes:
            if outcome.result == FAILED:
                self._note(f"{outcome.path}: {outcome.reason}", self.style.WARNING)
        documents = Document.objects.light().ready().in_bulk({o.document_id for o in outcomes if o.document_id})
        if not documents:
            raise CommandError("There is no document to talk about.")
        return [documents[pk] for pk in sorted(documents)]

    def _introduce(self, documents: list[Document]) -> None:
        names = ", ".join(document.filename for document in documents[:NAMED])
        more = f" and {len(documents) - NAMED} more" if len(documents) > NAMED else ""
        self._note(f"Documents: {names}{more}.", self.style.HTTP_INFO)
        if registry.is_offline():
            self._note(
                "No language model is configured: the replies are sentences of the documents, word for word.",
                self.style.WARNING,
            )
        if sys.stdin.isatty():
            self._note("Ask something. Ctrl-D ends.", self.style.HTTP_INFO)

    def _questions(self) -> Iterator[str]:
        if sys.stdin.isatty():
            with suppress(ImportError):  # line editing and history, where Python has it
                import readline  # noqa: F401
            lines: Iterable[str] = iter(self._prompt, None)
        else:
            lines = self._echo(sys.stdin)
        yield from (line.strip() for line in lines if line.strip())

    @staticmethod
    def _prompt() -> str | None:
        try:
            return input(PROMPT)
        except EOFError:
            return None

    def _echo(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            if line.strip():
                self.stdout.write(PROMPT + line.strip())
            yield line

    def _ask(
        self, question: str, conversation: Conversation | None, *, owner: User, documents: list[Document]
    ) -> tuple[Conversation | None, Message | None]:
        try:
            if conversation is None:
                mode = Conversation.Mode.RAG
                turn = start_conversation(user=owner, first_message=question, mode=mode, documents=documents)
            else:
                turn = take_turn(conversation, question=question)
        except (QuestionTooLong, TurnInProgress) as exc:
            self._note(str(exc), self.style.ERROR)
            return conversation, None
        self._print_reply(turn.reply)
        return turn.conversation, turn.reply

    def _print_reply(self, reply: Message) -> None:
        failed = reply.status != Message.Status.COMPLETE
        self.stdout.write(f"\n{reply.content}", self.style.ERROR if failed else None)
        if reply.error:
            self.stdout.write(reply.error)
        footnotes = list(_footnotes(reply))
        if footnotes:
            self.stdout.write("")
        for footnote in footnotes:
            self.stdout.write(footnote, self.style.HTTP_NOT_MODIFIED)
        self.stdout.write("")


def _footnotes(reply: Message) -> Iterator[str]:
    """One line for each different source, by the number of its mark in the text."""
    marks = MARK.findall(reply.content)
    if len(marks) != len(reply.citations):  # brackets that are no marks, in code for example
        marks = [str(number) for number, _ in enumerate(reply.citations, start=1)]
    lines = []
    for mark, citation in zip(marks, reply.citations, strict=True):
        page = f", page {citation['page']}" if citation["page"] else ""
        quote = " ".join(citation["quote"].split())
        lines.append(f"  [{mark}] {citation['filename']}{page}: “{quote}”")
    yield from dict.fromkeys(lines)
