"""`manage.py chat`: a conversation in the terminal or through a pipe, by itself or with a folder of documents."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import CommandError

from conversations import turns
from conversations.following import follow
from conversations.footnotes import footnotes
from conversations.models import Conversation, Message
from conversations.opening import Asking, TurnInProgress, open_conversation, open_turn
from conversations.serializers import MessageSerializer
from documents import terminal
from documents.extraction.detection import SUPPORTED
from documents.management.commands.ingest import FAILED, files_in, ingest_file
from documents.models import Document
from documents.terminal import user_named
from llm.budgets import BudgetExceeded
from llm.context import QuestionTooLong
from llm.providers import registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.core.management.base import CommandParser

    from botgpt.accounts.models import User
    from conversations.opening import Turn

PROMPT = "> "
NAMED = 5  # documents that are listed by name
REFUSED = (QuestionTooLong, TurnInProgress, BudgetExceeded)
EPILOG = """\
Without a PATH the model answers by itself. Documents are read once: those that the user has already are taken as they
are. The conversation is stored; go on with it here, with the API, or read it in the admin. On a terminal the reply is
shown as it is written: Ctrl-C stops it and keeps its text, Ctrl-D ends the conversation.

examples:
  manage.py chat manuals/
  manage.py chat handbook.pdf --user alice --model openai/gpt-oss-120b
  manage.py chat --conversation 12
  echo "How many days of leave are there?" | manage.py chat policies/
  manage.py chat policies/ --json < questions.txt | jq -r .reply.content
"""


class Command(terminal.Command):
    """Asks, prints the reply with its sources, and asks again."""

    help = (
        "Talk to a model about a folder of documents. Questions are read from the terminal, or\n"
        "one a line from a pipe; then the status is 1 if one of them got no answer."
    )
    epilog = EPILOG
    json_help = "one JSON object a question, a line each: question, conversation_id, reply"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", metavar="PATH", nargs="*", type=Path, help="a file or a folder to answer from")
        parser.add_argument("--user", metavar="NAME", help="whose conversation it is (default: %(default)s)")
        parser.add_argument("--conversation", type=int, metavar="ID", help="go on with this one of the user")
        parser.add_argument("--model", default="", help="the model that is asked first; the others stand by")
        parser.set_defaults(user=settings.ANONYMOUS_USER or None)

    def handle(self, *, paths: list[Path], user: str | None, conversation: int | None, model: str, **_: Any) -> None:
        if not user:
            raise CommandError("Say whose conversation it is: --user NAME.")
        if paths and conversation is not None:
            raise CommandError("A conversation keeps the documents that it has: give PATH or --conversation.")
        self.owner = user_named(user)
        self.asking = Asking(model=_configured(model) if model else "")
        self.is_interactive = sys.stdin.isatty()
        self.conversation = self._known(conversation) if conversation is not None else None
        self.documents = self._documents(paths, owner=self.owner) if paths else []
        self._introduce()
        self._converse()

    def _converse(self) -> None:
        asked = answered = 0
        with suppress(KeyboardInterrupt):
            for question in self._questions():
                asked += 1
                answered += self._answer(question)
        if self.is_interactive:
            self.say()
        if self.conversation is not None:
            self.note(
                f"Kept as conversation {self.conversation.pk} of {self.owner.username}. Go on with "
                f"--conversation {self.conversation.pk}.",
                self.style.HTTP_INFO,
            )
        if answered < asked and not self.is_interactive:
            raise CommandError(f"{asked - answered} of {asked} questions got no answer.")

    def _known(self, pk: int) -> Conversation:
        conversation = Conversation.objects.filter(user=self.owner, pk=pk).first()
        if conversation is None:
            raise CommandError(f"{self.owner.username} has no conversation {pk}.")
        return conversation

    def _documents(self, paths: Iterable[Path], *, owner: User) -> list[Document]:
        """The documents that can be asked; what could not be read is told, and is no reason to stop."""
        files = list(files_in(paths))
        if not files:
            raise CommandError(f"There is no file in {', '.join(map(str, paths))}. What can be read: {SUPPORTED}.")
        outcomes = [ingest_file(path, owner=owner, is_named=path in paths) for path in self.each(files, unit="file")]
        for outcome in outcomes:
            if outcome.result == FAILED:
                self.note(f"{outcome.path}: {outcome.reason}", self.style.WARNING)
        documents = Document.objects.light().ready().in_bulk({o.document_id for o in outcomes if o.document_id})
        if not documents:
            raise CommandError(f"There is no document to talk about. What can be read: {SUPPORTED}.")
        return [documents[pk] for pk in sorted(documents)]

    def _introduce(self) -> None:
        documents = self.documents
        if (conversation := self.conversation) is not None:
            documents = list(Document.objects.light().filter(conversations=conversation).order_by("pk"))
            self.note(f"“{conversation.title}”, {conversation.message_count} messages.", self.style.HTTP_INFO)
        if documents:
            names = ", ".join(document.filename for document in documents[:NAMED])
            more = f" and {len(documents) - NAMED} more" if len(documents) > NAMED else ""
            self.note(f"Documents: {names}{more}.", self.style.HTTP_INFO)
        if registry.is_offline():
            self.note(
                "No language model is configured: the replies are sentences of the documents, word for word. "
                "GROQ_API_KEY in .env makes one answer.",
                self.style.WARNING,
            )
        if self.is_interactive:
            self.note("Ask something. Ctrl-C stops a reply, Ctrl-D ends.", self.style.HTTP_INFO)

    def _questions(self) -> Iterator[str]:
        if self.is_interactive:
            with suppress(ImportError):  # line editing and history, where Python has it
                import readline  # noqa: F401
            lines: Iterable[str] = iter(self._prompt, None)
        else:
            lines = self._echo(sys.stdin)
        yield from (line.strip() for line in lines if line.strip())

    def _prompt(self) -> str | None:
        try:
            return input(PROMPT)
        except EOFError:
            return None
        except KeyboardInterrupt:  # nothing is running: what was typed is dropped
            self.note("\nCtrl-D ends.", self.style.HTTP_INFO)
            return ""

    def _echo(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            if line.strip():
                self.say(PROMPT + line.strip())
            yield line

    def _answer(self, question: str) -> bool:
        """Ask, and print the reply; whether there is one."""
        try:
            turn = self._open(question)
            if self.is_interactive and self.stdout.isatty() and not self.as_json:
                self._stream(turn)
            else:
                turns.complete(turn)
                self.say(f"\n{turn.reply.content}", None if _is_answer(turn.reply) else self.style.ERROR)
        except REFUSED as exc:
            self.note(str(exc), self.style.ERROR)
            return False
        self.conversation = turn.conversation
        self._print_sources(turn.reply)
        reply = MessageSerializer(turn.reply).data
        self.print_json({"question": question, "conversation_id": turn.conversation.pk, "reply": reply}, indent=False)
        return _is_answer(turn.reply)

    def _open(self, question: str) -> Turn:
        if self.conversation is not None:
            return open_turn(self.conversation, question=question, asking=self.asking)
        mode = Conversation.Mode.RAG if self.documents else Conversation.Mode.OPEN
        return open_conversation(
            user=self.owner, first_message=question, mode=mode, documents=self.documents, asking=self.asking
        )

    def _stream(self, turn: Turn) -> None:
        """Print the reply as it is written. Ctrl-C stops it; its text so far is kept."""
        shown, restarts = "", 0
        self.say()
        try:
            turns.launch(turn)
            for progress in follow(turn.reply.pk, pause=1.0):
                if progress.restarts > restarts:
                    self.note("\n(That answer broke off; another model begins anew.)", self.style.WARNING)
                    shown, restarts = "", progress.restarts
                self._print_on(progress.text[len(shown) :])
                shown = max(shown, progress.text, key=len)
        except KeyboardInterrupt:
            turns.cancel(turn.reply)
            self.note("\n(stopped)", self.style.WARNING)
        turn.reply.refresh_from_db()
        text = turn.reply.content
        self._print_on(text[len(shown) :] if text.startswith(shown) else f"\n{text}")
        self.say()

    def _print_on(self, text: str) -> None:
        if text:
            self.stdout.write(text, ending="")
            self.stdout.flush()

    def _print_sources(self, reply: Message) -> None:
        if reply.error:
            self.say(reply.error)
        notes = footnotes(reply)
        if notes:
            self.say()
        for note in notes:
            self.say(note, self.style.HTTP_NOT_MODIFIED)
        self.say()


def _is_answer(reply: Message) -> bool:
    return reply.status == Message.Status.COMPLETE


def _configured(model: str) -> str:
    try:
        return registry.configured_model(model)
    except LookupError as exc:
        raise CommandError(f"{exc} LLM_CHAIN says which are.") from exc
