"""`manage.py seed --users --conversations --messages`: much data, as the application would have written it."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F, Sum
from django.utils import timezone

from botgpt.accounts.models import User
from botgpt.operations.demo import volume
from botgpt.operations.demo.volume import Volume, fill
from conversations.models import Conversation, Message
from conversations.reading import history
from llm.figures import UNITS
from llm.ledger import tokens_of
from llm.limits import today
from llm.models import Allowance, LLMCall
from tests.builders import add_turn, conversation_of


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few rows take several batches."""
    monkeypatch.setattr(volume, "USERS_A_BATCH", 3)
    monkeypatch.setattr(volume, "CONVERSATIONS_A_BATCH", 4)
    monkeypatch.setattr(volume, "TURNS_A_BATCH", 9)


def make(owner: User, **amounts: int) -> Volume:
    wanted = Volume(**({"users": 0, "conversations": 0, "messages": 0} | amounts)).whole()
    fill(wanted, owner=owner, progress=lambda _: None)
    return wanted


def test_as_much_is_made_as_was_asked_for_and_spread_evenly(alice: User) -> None:
    make(alice, users=7, conversations=18, messages=100)
    assert User.objects.filter(username__startswith="sample-").count() == 7
    assert Counter(Conversation.objects.values_list("message_count", flat=True)) == {6: 14, 4: 4}
    assert Message.objects.count() == 100
    assert Counter(User.objects.exclude(pk=alice.pk).values_list("conversation_count", flat=True)) == {3: 4, 2: 3}


def test_every_counter_is_what_counting_gives(alice: User) -> None:
    make(alice, users=5, conversations=11, messages=60)
    make(alice, conversations=3)
    for user in User.objects.all():
        assert user.conversation_count == user.conversations.count()
    for conversation in Conversation.objects.all():
        assert conversation.message_count == conversation.messages.count() > 0


def test_every_conversation_is_one_path_from_its_first_question_to_its_active_end(alice: User) -> None:
    make(alice, users=2, conversations=5, messages=70)
    for conversation in Conversation.objects.all():
        in_order = list(conversation.messages.order_by("created_at", "id"))
        assert [message["id"] for message in history(conversation)] == [message.pk for message in in_order]
        assert [message.role for message in in_order] == ["user", "assistant"] * (len(in_order) // 2)
        assert [message.parent_id for message in in_order] == [None, *(message.pk for message in in_order[:-1])]
        assert conversation.active_leaf == in_order[-1]
        assert conversation.created_at == in_order[0].created_at
        assert conversation.activity_at == conversation.updated_at == in_order[-1].created_at <= timezone.now()


def test_every_reply_has_its_call_in_the_ledger_with_its_tokens_and_its_cost(alice: User) -> None:
    make(alice, users=2, conversations=5, messages=90)
    for reply in Message.objects.filter(role="assistant").select_related("conversation"):
        call = LLMCall.objects.get(message=reply, outcome="ok")
        assert (call.user_id, call.conversation_id) == (reply.conversation.user_id, reply.conversation_id)
        assert (call.model, call.created_at) == (reply.model_used, reply.created_at)
        assert call.price is not None
        each = (
            call.prompt_tokens * Decimal(call.price["input_mtok"]),
            call.completion_tokens * Decimal(call.price["output_mtok"]),
        )
        assert call.cost == sum(each) / 1_000_000 > 0
        assert reply.tokens_used == tokens_of(message_id=reply.pk) > 0
    failed = LLMCall.objects.exclude(outcome="ok")
    assert {(call.outcome, call.cost, call.attempt) for call in failed} == {("timeout", None, 1)}
    assert LLMCall.objects.filter(outcome="ok", attempt=2).count() == len(failed)


def test_every_allowance_is_what_adding_up_the_ledger_gives(alice: User) -> None:
    make(alice, users=2, conversations=40, messages=200)
    make(alice, conversations=1, messages=6_000)  # goes on over midnight
    for user in User.objects.all():
        calls = LLMCall.objects.filter(user=user)
        last = calls.order_by("created_at").last()
        assert last is not None
        allowance = Allowance.objects.get(user=user)
        day = last.created_at.date()
        assert allowance.day == day <= today()
        for begins, tokens, cost in (
            (day, allowance.day_tokens, allowance.day_cost),
            (day.replace(day=1), allowance.month_tokens, allowance.month_cost),
        ):
            spent = calls.filter(created_at__date__gte=begins).aggregate(
                tokens=Sum(F("prompt_tokens") + F("completion_tokens")), cost=Sum(UNITS)
            )
            assert tokens == spent["tokens"] > 0
            assert cost == spent["cost"]


def test_what_is_added_afterwards_gets_keys_of_its_own(alice: User) -> None:
    before = conversation_of(alice, turns=1)
    make(alice, users=1, conversations=2, messages=8)
    after = conversation_of(alice, turns=1)
    add_turn(before)
    assert after.pk > before.pk
    assert (Conversation.objects.count(), Message.objects.count()) == (4, 14)


def test_later_conversations_were_active_later(alice: User) -> None:
    make(alice, users=2, conversations=6)
    by_id = list(Conversation.objects.order_by("id").values_list("activity_at", flat=True))
    assert by_id == sorted(by_id)


def test_without_new_users_the_given_one_gets_everything(alice: User) -> None:
    make(alice, conversations=2, messages=8)
    alice.refresh_from_db()
    assert alice.conversation_count == 2
    assert set(Conversation.objects.values_list("user", flat=True)) == {alice.pk}


@pytest.mark.parametrize(
    ("asked", "whole"),
    [
        (Volume(0, 0, 0), Volume(0, 0, 0)),
        (Volume(3, 0, 0), Volume(3, 0, 0)),
        (Volume(0, 0, 5), Volume(0, 1, 6)),
        (Volume(0, 4, 0), Volume(0, 4, 8)),
        (Volume(0, 4, 3), Volume(0, 4, 8)),
    ],
)
def test_what_cannot_exist_is_rounded_up(asked: Volume, whole: Volume) -> None:
    assert asked.whole() == whole


def test_the_progress_adds_up_to_all_messages(alice: User) -> None:
    told: list[int] = []
    fill(Volume(0, 10, 50), owner=alice, progress=told.append)
    assert sum(told) == 50
    assert len(told) > 1


def test_an_interrupted_run_leaves_whole_conversations_behind(alice: User) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(Volume(0, 10, 50), owner=alice, progress=interrupt)
    alice.refresh_from_db()
    assert 0 < alice.conversation_count == Conversation.objects.count() < 10
    assert not Conversation.objects.filter(active_leaf=None).exists()


def test_the_command_adds_to_the_demo_and_says_how_much(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("seed", "--force", "--users", "2", "--conversations", "4", "--messages", "1_0")
    assert "Added 2 users, 4 conversations, 10 messages." in capsys.readouterr().out
    assert Conversation.objects.exclude(user__username="demo").count() == 4


@pytest.mark.parametrize("number", ["-1", "many", "1.5"])
def test_a_number_that_is_none_is_refused(db: None, number: str) -> None:
    with pytest.raises(CommandError, match="is not a number of rows"):
        call_command("seed", f"--users={number}")
    assert not User.objects.exists()
