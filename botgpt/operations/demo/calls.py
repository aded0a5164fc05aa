"""Made-up rows of the ledger over the last year, to see the dashboard and the report when there is much to add up.

More on weekdays and lately, some failed, answered by a fallback or from the cache; priced as calls really are. What is
of this month counts in the allowances.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone

from botgpt.accounts.models import User
from conversations.models import Conversation
from llm import allowances, limits, pricing
from llm.models import LLMCall
from llm.types import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROWS_A_BATCH: Final = 5_000
SPAN_DAYS: Final = 365
CONVERSATIONS_A_USER: Final = 50
WEEKEND: Final = 0.25  # of a weekday's calls
MODELS: Final = (  # provider, model, usual milliseconds of a reply
    ("groq", "openai/gpt-oss-20b", 900),
    ("groq", "openai/gpt-oss-120b", 2_200),
)
Outcome = LLMCall.Outcome
FAILURES: Final = (Outcome.RATE_LIMITED, Outcome.TIMEOUT, Outcome.UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class _Owner:
    """Who makes calls, and in which conversations."""

    user_id: int
    conversation_ids: Sequence[int]


def fill_calls(count: int, *, users: Sequence[User], progress: Callable[[int], object], seed: int = 0) -> None:
    """Add so many calls of these users, the oldest first; the first users make the most.

    Args:
        progress: told how many rows were written since it was last told.
        seed: another one makes other rows.
    """
    random = Random(seed)  # noqa: S311  nothing secret
    owners = [_Owner(user.pk, _conversations(user)) for user in users]
    weights = [1 / math.sqrt(place + 1) for place in range(len(owners))]
    moments = _moments(count, random)
    for start in range(0, count, ROWS_A_BATCH):
        batch = moments[start : start + ROWS_A_BATCH]
        chosen = random.choices(owners, weights, k=len(batch))
        rows = [_call(owner, at, random) for owner, at in zip(chosen, batch, strict=True)]
        with transaction.atomic():
            LLMCall.objects.bulk_create(rows)
            _settle(rows)
        progress(len(rows))


def _conversations(user: User) -> list[int]:
    newest = Conversation.objects.visible_to(user).newest_first()
    return list(newest.values_list("pk", flat=True)[:CONVERSATIONS_A_USER])


def _moments(count: int, random: Random) -> list[dt.datetime]:
    """When the calls were made, in order: in the daytime, more on weekdays, and twice as many now as a year ago."""
    now = timezone.now()
    days = [now - dt.timedelta(days=ago) for ago in range(SPAN_DAYS)]
    weights = [
        (2 - ago / SPAN_DAYS) * (1 if day.weekday() < 5 else WEEKEND)  # noqa: PLR2004  Monday to Friday
        for ago, day in enumerate(days)
    ]
    hours = (min(max(random.gauss(13, 3), 0), 23.9) for _ in range(count))
    midnight = dt.time(tzinfo=dt.UTC)
    moments = [
        dt.datetime.combine(day, midnight) + dt.timedelta(hours=hour)
        for day, hour in zip(random.choices(days, weights, k=count), hours, strict=True)
    ]
    return sorted(moment if moment < now else now - (moment - now) for moment in moments)


def _call(owner: _Owner, at: dt.datetime, random: Random) -> LLMCall:
    fallback = random.random() < 0.03  # noqa: PLR2004
    provider, model, usual = MODELS[int(fallback or random.random() < 0.2)]  # noqa: PLR2004  some choose the larger one
    outcome = random.choices((Outcome.OK, Outcome.CACHED, random.choice(FAILURES)), (0.9, 0.07, 0.03))[0]
    usage = Usage()
    if outcome == Outcome.OK:
        usage = Usage(prompt_tokens=random.randrange(400, 4_000), completion_tokens=random.randrange(40, 600))
    cost, price = pricing.price(provider=provider, model=model, usage=usage)
    took = 2 if outcome == Outcome.CACHED else min(usual * random.lognormvariate(0, 0.5), 30_000)
    fields: dict[str, Any] = {"cost": cost, "price": price, "created_at": at, "latency_ms": round(took)}
    return LLMCall(
        user_id=owner.user_id,
        conversation_id=random.choice(owner.conversation_ids) if owner.conversation_ids else None,
        provider=provider,
        model=model,
        place=2 if fallback else 1,
        outcome=outcome,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        **fields,
    )


def _settle(rows: list[LLMCall]) -> None:
    """Onto the allowances, which are about this month."""
    month = limits.first_day("month", limits.today())
    tokens: Counter[tuple[int, dt.date]] = Counter()
    costs: defaultdict[tuple[int, dt.date], int] = defaultdict(int)
    for row in rows:
        day = row.created_at.date()
        if row.user_id is not None and day >= month:
            tokens[row.user_id, day] += row.prompt_tokens + row.completion_tokens
            costs[row.user_id, day] += limits.units(row.cost) if row.cost else 0
    for (user_id, day), spent in sorted(tokens.items(), key=lambda item: item[0][::-1]):
        allowances.add(user_id=user_id, day=day, tokens=spent, cost=costs[user_id, day])
