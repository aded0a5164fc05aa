"""The turn: a question goes in, a reply is stored, and nothing on the way can lose the question.

Open (one short transaction, see `opening`) → prepare and generate (nothing held) → close (one statement). `complete`
generates the reply in the caller's thread; `launch` in one of its own, which no client's socket can end; `hand_over`
leaves it to a worker.
"""

from __future__ import annotations

import time
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Final

import structlog
from django.conf import settings

from documents.connections import release_connection
from llm import budgets, ledger, replies
from llm.booking import Answers, answers_held_back, tallied
from llm.budgets import BudgetExceeded
from llm.context import QuestionTooLong
from llm.durable import durably
from llm.replies import Prepared, Reply

from . import jobs, preparing, running
from .abandoned import count_tokens
from .following import wait_until_ended
from .jobs import Job
from .models import Message
from .opening import PLAINLY, ConversationGone, open_conversation, open_turn, undo
from .summarizing import after_turn
from .threads import in_background
from .turn_signals import announced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from botgpt.accounts.models import User
    from documents.models import Document
    from llm.booking import Tally
    from llm.budgets import Reservation

    from .models import Conversation
    from .opening import Asking, Turn
    from .running import Running

Status = Message.Status
REFUSALS = (QuestionTooLong, BudgetExceeded)  # what may turn out before a model is asked, and leaves nothing stored
SETTLING_SECONDS: Final = 1.5  # that a cancelled reply is waited for, so that the answer has its last words and tokens


def start_conversation(
    *, user: User, first_message: str, mode: str, documents: Sequence[Document] = (), asking: Asking = PLAINLY
) -> Turn:
    """Create a conversation and answer its first message; raises as `open_conversation` and `complete`."""
    return complete(
        open_conversation(user=user, first_message=first_message, mode=mode, documents=documents, asking=asking)
    )


def take_turn(conversation: Conversation, *, question: str, asking: Asking = PLAINLY) -> Turn:
    """Add a question to the active branch and answer it; raises as `open_turn` and `complete`."""
    return complete(open_turn(conversation, question=question, asking=asking))


def complete(turn: Turn) -> Turn:
    """Generate the reply; of a replayed turn, wait for it.

    Raises:
        QuestionTooLong, BudgetExceeded: nothing of the turn is stored.
        ConversationGone: it was deleted before the reply was there.
    """
    if turn.is_replay:
        _join(turn)
        return turn
    with running.generating(turn.reply) as run, tallied() as spent, announced(turn):
        prepared, reservation = _prepare(turn, run, spent)
        with reservation:
            _generate(turn, run, spent, lambda: replies.complete(prepared))
    return turn


def launch(turn: Turn) -> Future[None] | None:
    """Generate the reply in a thread of its own, for `following.follow` to read; gives what is done when it has ended.

    A replayed turn has one already: None.

    Raises:
        QuestionTooLong, BudgetExceeded: nothing of the turn is stored.
    """
    if turn.is_replay:
        return None
    run = running.start(turn.reply)
    try:
        with tallied() as spent:
            prepared, reservation = _prepare(turn, run, spent)
            try:
                # With a copy of the context the thread counts into the same tally, and logs with the request's id.
                return in_background(copy_context().run, _show, turn, run, spent, prepared, reservation)
            except RuntimeError:  # the process is ending and begins nothing more
                reservation.release()
                _close(turn, run, spent, _unforeseen())
                raise
    except BaseException:
        running.end(run)
        raise


def hand_over(turn: Turn) -> Future[None] | None:
    """Have a worker generate the reply (see `working`), for `following.follow` to read; without one, `launch` it.

    Gives what is done when this process has nothing more to do with it; None if that is so now.

    Raises:
        BudgetExceeded: nothing of the turn is stored.
        QuestionTooLong: likewise, as `launch`.
    """
    if turn.is_replay:
        return None
    try:
        budgets.require_some(turn.conversation.user_id)
    except BudgetExceeded:
        undo(turn)
        raise
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    if jobs.order(turn.reply, Job(turn.asking.model, turn.is_regeneration, request_id)):
        return None
    return launch(turn)


def carry_out(turn: Turn) -> None:
    """Generate a promised reply in the caller's thread. What would have refused it is now why it failed."""
    with (
        suppress(*REFUSALS, ConversationGone),
        running.generating(turn.reply) as run,
        tallied() as spent,
        announced(turn),
    ):
        prepared, reservation = _prepare(turn, run, spent)
        with reservation:
            _generate(turn, run, spent, lambda: replies.stream(prepared, run))


def cancel(reply: Message) -> None:
    """Stop a running reply, in whichever process it runs, and keep its text; one that has ended stays as it is."""
    run = running.find(reply.pk)
    text = {"content": run.progress.text} if run else {}
    if Message.objects.filter(pk=reply.pk, status=Status.IN_PROGRESS).update(status=Status.CANCELLED, **text):
        if run:
            run.cancellation.cancel()
        until = time.monotonic() + SETTLING_SECONDS
        settled = Message.objects.filter(pk=reply.pk, context__isnull=False)
        while not settled.exists() and time.monotonic() < until:
            release_connection()
            time.sleep(0.05)
    reply.refresh_from_db()


def _show(turn: Turn, run: Running, spent: Tally, prepared: Prepared, reservation: Reservation) -> None:
    try:
        with reservation, announced(turn):
            _generate(turn, run, spent, lambda: replies.stream(prepared, run))
    finally:
        running.end(run)


def _join(turn: Turn) -> None:
    if turn.reply.status == Status.IN_PROGRESS:
        wait_until_ended(turn.reply.pk)
        try:
            turn.reply.refresh_from_db()
        except Message.DoesNotExist as exc:
            raise ConversationGone from exc
    turn.conversation.refresh_from_db()


def _prepare(turn: Turn, run: Running, spent: Tally) -> tuple[Prepared, Reservation]:
    try:
        prepared = preparing.for_turn(turn, cancellation=run.cancellation)
        return prepared, replies.reserve(prepared)
    except REFUSALS as exc:
        if turn.is_promised:
            _close(turn, run, spent, _failed(str(exc)))
        else:
            undo(turn)
        raise
    except BaseException:
        _close(turn, run, spent, _unforeseen())
        raise


def _generate(turn: Turn, run: Running, spent: Tally, ask: Callable[[], Reply]) -> None:
    """Ask, and close the turn, also when something unforeseen breaks."""
    with answers_held_back() as answers:
        try:
            reply = ask()
        except BaseException:
            _close(turn, run, spent, _unforeseen(), answers)
            raise
        _close(turn, run, spent, reply, answers)
    after_turn(turn.reply)
    turn.timings.update(reply.timings)


def _unforeseen() -> Reply:
    return _failed("An unexpected error happened.")


def _failed(why: str) -> Reply:
    return Reply(text=settings.FALLBACK_REPLY, status="failed", error=why)


def _close(turn: Turn, run: Running, spent: Tally, reply: Reply, answers: Answers | None = None) -> None:
    """Write the reply, in one statement: it has been paid for, so a lost connection or a lock is tried again.

    When another worker has taken the reply over meanwhile, it is that one's, and `turn.reply` becomes what is stored.

    Args:
        spent: by all calls for the reply here, failed ones included.
        answers: of these, the ones that are yet to be booked.

    Raises:
        ConversationGone: there is no row left to write it to.
    """
    row = turn.reply
    row.finish(
        content=reply.text,
        status=reply.status,
        tokens_used=spent.tokens,
        model_used=reply.model,
        citations=list(reply.citations),
        grounded=reply.grounded,
        context=reply.context,
        error=reply.error,
        restarts=run.progress.restarts,
        cached=reply.cached,
    )

    def store() -> bool:
        if turn.is_promised:  # other workers may have had it, and may even now be at it
            row.tokens_used = max(spent.tokens, ledger.tokens_of(message_id=row.pk))
        return row.store_result()

    if (answers or Answers()).book_with(store):
        return
    # Somebody else has ended it (cancelled it, taken it for abandoned, deleted it), or has it now.
    stored = Message.objects.filter(pk=row.pk).values_list("status", flat=True).first()
    if stored is None:
        raise ConversationGone
    if stored == Status.CANCELLED:
        row.status = stored
    if durably(lambda: row.store_result(instead_of=stored)):
        return
    count_tokens(row)  # it is that one's, but what was spent here counts
    try:
        row.refresh_from_db()
    except Message.DoesNotExist as exc:
        raise ConversationGone from exc
