"""What the dashboard shows beside the ledger: feedback, uploads in work, how models and budgets stand."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from conversations.models import Message
from documents.models import Document
from llm.analytics import A_DAY
from llm.figures import DAY, FAILED
from llm.models import LLMCall
from llm.near_limits import near_limits
from llm.providers import registry

from .tables import Card, Chart, Column, Link, Section, Series, Table, count, moment, percent, waited

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from llm.budgets import Standing

    from .asked import Asked

ROWS: Final = 20
LATELY: Final = dt.timedelta(hours=1)
MIDNIGHT: Final = dt.time(tzinfo=dt.UTC)
UNREADY: Final = ("pending", "processing", "failed")
VERDICTS: Final = {
    "up": Count("id", filter=Q(feedback=Message.Feedback.UP)),
    "down": Count("id", filter=Q(feedback=Message.Feedback.DOWN)),
}
MOST: Final = 10_000
PERIODS_OF: Final = {
    "day_tokens": "tokens a day",
    "month_tokens": "tokens a month",
    "day_cost": "cost a day",
    "month_cost": "cost a month",
}


def feedback(asked: Asked, *, limit: int | None = ROWS) -> Section:
    """What users thought of the replies of the period; the partial index on feedback finds them."""
    replies = _judged(asked)
    counted: QuerySet[Message, Any] = replies.annotate(on=DAY).values("on").annotate(**VERDICTS).order_by()
    by_day = {row["on"]: (row["up"], row["down"]) for row in counted}
    days = asked.question.days
    ups = [by_day.get(str(day), (0, 0))[0] for day in days]
    downs = [by_day.get(str(day), (0, 0))[1] for day in days]
    up, down = sum(ups), sum(downs)
    card = Card("Feedback", percent(up / (up + down) if up + down else None), f"{count(up)} good, {count(down)} bad")
    series = [Series("Good", ups), Series("Bad", downs)]
    told = f"{count(up)} replies were found good, {count(down)} bad." if up + down else "Nothing on any day."
    chart = Chart("feedback-by-day", "Feedback by day of the reply", "bar", days, series, told)
    columns = [Column(title, is_number=False) for title in ("Reply", "Verdict", "Model", "User", "Transcript")]
    columns[0] = Column("Reply", moment, is_number=False)
    rows = [
        (reply.created_at, reply.feedback, reply.model_used, reply.conversation.user.username, _transcript(reply))
        for reply in replies.select_related("conversation__user")
        .only("created_at", "feedback", "model_used", "conversation__user__username")
        .order_by("-created_at", "-id")[:limit]
    ]
    return Section([Table("feedback", "Latest feedback", columns, rows, names_people=True)], [chart], [card])


def _judged(asked: Asked) -> QuerySet[Message]:
    question = asked.question
    replies = Message.objects.filter(
        feedback__isnull=False,
        created_at__gte=dt.datetime.combine(question.first, MIDNIGHT),
        created_at__lt=dt.datetime.combine(question.last + A_DAY, MIDNIGHT),
    )
    if question.user_id is not None:
        replies = replies.filter(conversation__user=question.user_id)
    if question.model:
        replies = replies.filter(model_used=question.model[1])
    return replies


def _transcript(reply: Message) -> Link:
    href = reverse("admin:conversations_conversation_change", args=[reply.conversation_id])
    return Link(f"Conversation {reply.conversation_id}", href)


def ingestion(*, limit: int | None = ROWS) -> Section:
    """Uploads that are waiting or being read, the oldest first, then those that failed, the newest first."""
    unready = Document.objects.filter(status__in=UNREADY).order_by()
    counts = dict(unready.values_list("status").annotate(Count("id")))
    queue = unready.exclude(status="failed").order_by("updated_at", "id")
    failed = unready.filter(status="failed").order_by("-updated_at", "-id")
    rows = [
        (
            Link(document.filename, reverse("admin:documents_document_change", args=[document.pk])),
            document.status,
            document.progress,
            document.updated_at,
            document.owner.username if document.owner else "shared",
            document.error,
        )
        for documents in (queue, failed)
        for document in documents.light().select_related("owner")[:limit]
    ]
    columns = (
        Column("Document", is_number=False),
        Column("Status", is_number=False),
        Column("Progress", lambda value: f"{value} %", is_bar=True),
        Column("Last sign of life", lambda value: f"{waited(value)} ago", is_number=False),
        Column("Owner", is_number=False),
        Column("Reason", is_number=False),
    )
    waiting, running, broken = (counts.get(status, 0) for status in UNREADY)
    note = f"{count(waiting)} waiting, {count(running)} being read, {count(broken)} failed, whatever the period."
    empty = "No upload is waiting, and none has failed."
    return Section([Table("ingestion", "Uploads in work", columns, rows, note, empty, names_people=True)])


def providers() -> Section:
    """The models that can be asked: how this process finds them, and how their calls went lately in all processes."""
    calls = LLMCall.objects.filter(created_at__gte=timezone.now() - LATELY).order_by().values_list("provider", "model")
    lately = {
        f"{provider}/{model}" if provider != model else model: (made, failed)
        for provider, model, made, failed in calls.annotate(made=Count("id"), failed=Count("id", filter=FAILED))
    }
    rows = []
    for health in registry.health():
        made, failed = lately.get(health.model, (0, 0))
        state = "asked"
        if health.skipped_seconds:
            state = f"skipped for {math.ceil(health.skipped_seconds)} s more"
        elif health.failures:
            state = "asked, though it failed"
        rows.append((health.model, state, health.failures, made, failed, failed / made if made else None))
    columns = (
        Column("Model", is_number=False),
        Column("State", is_number=False),
        Column("Failures in a row", count),
        Column("Calls of the last hour", count),
        Column("Failed", count),
        Column("Rate", percent),
    )
    note = "In the order in which they are asked. State and failures in a row are of the process that served this page."
    return Section([Table("providers", "Models now", columns, rows, note)])


def budgets(*, limit: int | None = ROWS) -> Section:
    """Users of whose budget most is spent."""
    rows = [
        (username, PERIODS_OF[standing.scope], _amount(standing), standing.percent, standing.resets_at)
        for username, standing in near_limits(limit=limit or MOST)
    ]
    columns = (
        Column("User", is_number=False),
        Column("Budget", is_number=False),
        Column("Spent", is_number=False),
        Column("Share", lambda value: f"{value} %", is_bar=True),
        Column("Begins anew", moment, is_number=False),
    )
    empty = "Nobody has spent 80 % of a budget."
    return Section([Table("budgets", "Budgets near their limit", columns, rows, empty=empty, names_people=True)])


def _amount(standing: Standing) -> str:
    if isinstance(standing.limit, int):
        return f"{standing.spent:,} of {standing.limit:,}"
    return f"${standing.spent:,.2f} of ${standing.limit:,.2f}"
