"""A worker that was taken for lost and wakes up: the reply is another's now, and nothing of it is written over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conversations import jobs, running, turns
from conversations.jobs import Job
from conversations.models import Message
from conversations.opening import Turn, open_conversation
from conversations.turn_signals import turn_ended
from llm.models import LLMCall
from tests.provider_server import reply

if TYPE_CHECKING:
    from pytest_django import Settings

    from botgpt.accounts.models import User
    from tests.provider_server import ProviderServer

FIRST = Job(attempts=1)
SECOND = replace(FIRST, attempts=2)
Status = Message.Status


@pytest.fixture
def lost(alice: User, groq: ProviderServer) -> Turn:
    """The turn as the first worker has it, whose reply a second one has taken."""
    turn = replace(open_conversation(user=alice, first_message="Hello", mode="open"), is_promised=True)
    turn.reply.job = FIRST.stored()
    store(turn, job=SECOND.stored())
    groq.will(reply("From the first", usage={"prompt_tokens": 20, "completion_tokens": 5}))
    return turn


def store(turn: Turn, **fields: object) -> None:
    Message.objects.filter(pk=turn.reply.pk).update(**fields)


def stored(turn: Turn) -> Message:
    return Message.objects.get(pk=turn.reply.pk)


@pytest.mark.parametrize("status", [Status.COMPLETE, Status.INCOMPLETE, Status.CANCELLED, Status.FAILED])
def test_the_answer_of_the_second_stands_and_both_calls_are_counted(lost: Turn, status: str) -> None:
    store(lost, content="From the second", status=status)
    turns.carry_out(lost)
    row = stored(lost)
    assert (row.content, row.status, row.tokens_used) == ("From the second", status, 25)
    assert lost.reply.content == "From the second"
    assert LLMCall.objects.get().outcome == "ok"


def test_a_reply_that_the_second_is_still_at_is_left_to_it(lost: Turn) -> None:
    turns.carry_out(lost)
    row = stored(lost)
    assert (row.content, row.status, row.job) == ("", Status.IN_PROGRESS, SECOND.stored())


def test_how_long_a_lost_worker_took_is_no_turns_duration(lost: Turn) -> None:
    heard: list[float | None] = []

    def hear(seconds: float | None, **_: object) -> None:
        heard.append(seconds)

    turn_ended.connect(hear)
    turns.carry_out(lost)
    store(lost, job=FIRST.stored())
    lost.reply.job = FIRST.stored()
    turns.carry_out(lost)
    assert heard[0] is None
    assert heard[1] is not None


def test_a_process_that_gets_its_own_lost_reply_again_goes_on_with_the_second(lost: Turn) -> None:
    first = running.start(lost.reply)
    second = running.start(stored(lost))
    assert first.cancellation.is_cancelled
    running.end(first)
    assert running.find(lost.reply.pk) is second
    running.end(second)
    assert running.find(lost.reply.pk) is None


@pytest.mark.django_db(transaction=True)  # references are checked when a transaction ends
def test_a_reply_that_was_deleted_under_the_second_is_no_error(lost: Turn) -> None:
    lost.conversation.delete()
    turns.carry_out(lost)
    assert not Message.objects.exists()


@pytest.mark.parametrize("ended", [Status.INCOMPLETE, Status.CANCELLED])
def test_who_still_has_the_reply_writes_its_answer(lost: Turn, ended: str) -> None:
    store(lost, job=FIRST.stored(), status=ended)
    turns.carry_out(lost)
    expected = Status.CANCELLED if ended == Status.CANCELLED else Status.COMPLETE
    assert (stored(lost).content, stored(lost).status) == ("From the first", expected)


@pytest.mark.parametrize(("job", "has_it"), [(FIRST, True), (SECOND, False)])
def test_only_who_has_the_reply_writes_its_text_and_heartbeat(lost: Turn, job: Job, has_it: bool) -> None:  # noqa: FBT001
    store(lost, job=job.stored())
    before = stored(lost).updated_at
    run = running.Running(lost.reply)
    run.show("Some words")
    running._tick([run])
    row = stored(lost)
    assert (row.content == "Some words", row.updated_at > before) == (has_it, has_it)
    assert run.cancellation.is_cancelled is not has_it


def test_a_reply_without_a_job_is_kept_alive(alice: User) -> None:
    turn = open_conversation(user=alice, first_message="Hello", mode="open")
    run = running.Running(turn.reply)
    run.show("Some words")
    running._tick([run])
    assert stored(turn).content == "Some words"
    assert not run.cancellation.is_cancelled


def test_a_reply_that_a_worker_took_before_the_broker_failed_is_the_workers(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = open_conversation(user=alice, first_message="Hello", mode="open")
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"

    def passed_on_and_not_confirmed(_: int) -> bool:
        store(turn, job=FIRST.stored())
        return False

    monkeypatch.setattr(jobs, "order_again", passed_on_and_not_confirmed)
    assert jobs.order(turn.reply, Job())
    assert stored(turn).job == FIRST.stored()
    monkeypatch.setattr(jobs, "order_again", lambda _: False)
    assert not jobs.order(turn.reply, Job())
    assert stored(turn).job is None
