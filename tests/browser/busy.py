"""Fills the database of a running service as months of use would: `python -m tests.browser.busy`, in its environment.

People with names, conversations, a year of the ledger, feedback, budgets that are nearly spent, uploads in work.
"""

from __future__ import annotations

import os
import subprocess
import sys
from random import Random
from typing import TYPE_CHECKING

import django

from tests.service.running import ROOT

if TYPE_CHECKING:
    from botgpt.accounts.models import User
    from tests.service.running import Service

PEOPLE = (
    *("anna.keller", "b.okafor", "carla.nunes", "d.petrov", "emma.lind", "f.rossi", "grace.tan", "h.ito"),
    *("ines.moreau", "jonas.weber", "k.novak", "lea.fischer", "m.santos", "nina.berg"),
)
QUESTIONS = (
    "Which gasket fits the Alta 2?",
    "How do I descale without the tank?",
    "Is the grinder under warranty?",
    "Draft a reply to a late delivery",
)
CALLS = 52_000


def make_busy(service: Service) -> None:
    """Fill the service's database."""
    environment = {**service.environment, "DJANGO_SETTINGS_MODULE": "botgpt.settings"}
    subprocess.run([sys.executable, "-m", "tests.browser.busy"], cwd=ROOT, env=environment, check=True)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botgpt.settings")
    django.setup()
    from botgpt.accounts.models import User as Account
    from botgpt.operations.demo.calls import fill_calls
    from documents.models import Document
    from llm import rollup
    from llm.models import Allowance, Budget

    people = [Account.objects.create_user(name) for name in PEOPLE]
    _converse(people)
    fill_calls(CALLS, users=people, progress=lambda _: None)
    rollup.catch_up(least=1)
    for person, share in zip(people, (0.97, 0.88, 0.83), strict=False):
        _call_now(person)
        spent = Allowance.objects.get(pk=person.pk)
        Budget.objects.create(user=person, month_tokens=round(spent.month_tokens / share, -3))
    for filename, status, progress, error in (
        ("service-manual-2026.pdf", "processing", 64, ""),
        ("spare-parts.docx", "processing", 12, ""),
        ("price-list.csv", "pending", 0, ""),
        ("scan-0412.pdf", "failed", 0, "The file is encrypted."),
    ):
        Document.objects.create(
            owner=people[1], filename=filename, sha256=filename, status=status, progress=progress, error=error
        )


def _call_now(person: User) -> None:
    """On the first of a month there may be none of it yet."""
    from llm.booking import book
    from llm.types import Attribution, Usage

    usage = Usage(prompt_tokens=40_000, completion_tokens=10_000)
    asked = Attribution(user_id=person.pk)
    book(asked, provider="groq", model="openai/gpt-oss-20b", attempt=1, outcome="ok", usage=usage, seconds=1.0)


def _converse(people: list[User]) -> None:
    """A few conversations each, some of whose replies were judged."""
    import datetime as dt

    from django.utils import timezone

    from conversations.models import Message
    from tests.builders import add_turn, conversation_of

    random = Random(1)
    for number, person in enumerate(people * 6):
        conversation = conversation_of(person, title=QUESTIONS[number % len(QUESTIONS)])
        reply = add_turn(conversation, question=conversation.title, answer="See the manual, page 12.")
        verdict = random.choice([None, "up", "up", "up", "down"])
        at = timezone.now() - dt.timedelta(days=random.uniform(0, 29))
        Message.objects.filter(pk=reply.pk).update(feedback=verdict, created_at=at, model_used="openai/gpt-oss-20b")


if __name__ == "__main__":
    main()
