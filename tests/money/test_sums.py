"""The ledger added up: by hand, from the ledger itself and from its sums it is the same."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from botgpt.accounts.models import User
from botgpt.operations import privacy
from llm import rollup
from llm.analytics import Books, Question, Row, consistently
from llm.figures import Figures, percentile, rounded
from llm.models import LLMCall
from llm.sums import ModelDay, RollUp, UserSpan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOW = dt.datetime(2026, 5, 20, 12, tzinfo=dt.UTC)
TODAY = NOW.date()
A_DAY = dt.timedelta(days=1)
YEAR = Question(TODAY - 365 * A_DAY, TODAY)


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def call(user: User | None, *, days_ago: float = 1, **fields: Any) -> LLMCall:
    given = {"provider": "groq", "model": "small", "outcome": "ok", "prompt_tokens": 100, "completion_tokens": 20}
    row = LLMCall.objects.create(user=user, **(given | {"cost": "0.002", "latency_ms": 500} | fields))
    LLMCall.objects.filter(pk=row.pk).update(created_at=NOW - dt.timedelta(days=days_ago))
    return row


def add_all() -> None:
    rollup.catch_up(least=1)


@pytest.fixture(params=["from the ledger", "from the sums", "half and half"])
def counted(request: pytest.FixtureRequest) -> Callable[[], None]:
    """Brings the sums up to date or not; what is read must not depend on it."""
    return add_all if request.param == "from the sums" else lambda: None


@pytest.fixture
def calls(alice: User, bob: User, request: pytest.FixtureRequest) -> None:
    """Yesterday and in April, two models, and one call of everything that can happen to one."""
    call(alice)
    call(alice, outcome="timeout", cost=None, completion_tokens=0)
    call(alice, model="large", place=2, attempt=1, cost="0.0300000001", latency_ms=4_321)
    call(alice, outcome="cached", cost=0, prompt_tokens=0, completion_tokens=0, latency_ms=3)
    call(alice, outcome="cancelled", cached_tokens=40)
    call(alice, purpose="summary", latency_ms=90_000)
    if "half and half" in request.node.name:
        add_all()
    call(bob, model="large", days_ago=30, latency_ms=1_000)
    call(None, days_ago=30, outcome="abandoned", provider="", model="", cost=None)


def figures(**given: int) -> Figures:
    return Figures(**given)


SMALL = Figures(
    calls=5, ok=3, failed=1, turns=2, cache_hits=1, prompt_tokens=400, completion_tokens=60, cached_tokens=40,
    unpriced_calls=1, cost=60_000_000,
)  # fmt: skip
LARGE = Figures(
    calls=1, ok=1, turns=1, fallbacks=1, prompt_tokens=100, completion_tokens=20, cost=300_000_001
)  # fmt: skip
BOBS = Figures(calls=1, ok=1, turns=1, prompt_tokens=100, completion_tokens=20, cost=20_000_000)
NOBODYS = Figures(calls=1, failed=1, prompt_tokens=100, completion_tokens=20, unpriced_calls=1)
YESTERDAY, APRIL = TODAY - A_DAY, TODAY - 30 * A_DAY


def table(question: Question, *by: Any, limit: int | None = None) -> list[Row]:
    return consistently(lambda books: books.table(question, by=by, limit=limit))


def test_every_figure_is_what_counting_by_hand_gives(
    calls: None, counted: Callable[[], None], alice: User, bob: User
) -> None:
    counted()
    assert table(YEAR) == [Row((), SMALL + LARGE + BOBS + NOBODYS)]
    assert table(YEAR, "day") == [Row((APRIL,), BOBS + NOBODYS), Row((YESTERDAY,), SMALL + LARGE)]
    assert table(YEAR, "model") == [
        Row(("groq/small",), SMALL),
        Row(("groq/large",), LARGE + BOBS),
        Row(("/",), NOBODYS),
    ]
    assert table(YEAR, "user") == [
        Row((alice.pk,), SMALL + LARGE),
        *sorted([Row((bob.pk,), BOBS), Row((None,), NOBODYS)], key=lambda row: str(row.key)),
    ]
    assert table(YEAR, "user", limit=1) == [Row((alice.pk,), SMALL + LARGE)]
    assert table(YEAR, "user", "model")[:2] == [
        Row((alice.pk, "groq/small"), SMALL),
        *sorted(
            [Row((alice.pk, "groq/large"), LARGE)],
            key=lambda row: str(row.key),
        ),
    ]


def test_a_question_may_be_about_a_user_a_model_and_a_part_of_the_time(
    calls: None, counted: Callable[[], None], alice: User, bob: User
) -> None:
    counted()
    assert table(Question(YESTERDAY, YESTERDAY)) == [Row((), SMALL + LARGE)]
    assert table(Question(APRIL, YESTERDAY - A_DAY), "day") == [Row((APRIL,), BOBS + NOBODYS)]
    assert table(Question(YEAR.first, YEAR.last, user_id=bob.pk), "model") == [Row(("groq/large",), BOBS)]
    large = ("groq", "large")
    assert table(Question(YEAR.first, YEAR.last, model=large), "user", limit=5) == [
        Row((user.pk,), own) for user, own in sorted([(alice, LARGE), (bob, BOBS)], key=lambda pair: str(pair[0].pk))
    ]
    assert table(Question(YEAR.first, YEAR.last, user_id=alice.pk, model=large), "user") == [Row((alice.pk,), LARGE)]
    assert table(Question(TODAY, TODAY), "day") == []


def test_latencies_are_of_the_replies_that_a_model_gave(calls: None, counted: Callable[[], None], alice: User) -> None:
    counted()
    for question in (Question(YESTERDAY, TODAY), Question(YESTERDAY, TODAY, user_id=alice.pk)):
        latencies, slowest = latencies_of(question)
        assert latencies == {500: 1, 4_300: 1}
        assert [latency for latency, _ in slowest] == [4_321, 500]


@pytest.mark.parametrize("size", [1, 10, 999])
def test_a_percentile_is_at_most_five_percent_off(size: int) -> None:
    random.seed(size)
    exact = sorted(int(random.lognormvariate(7, 1.5)) + 1 for _ in range(size))
    kept = Counter(rounded(latency) for latency in exact)
    for share in (0.01, 0.5, 0.95, 1):
        real = exact[max(0, -int(-share * size // 1) - 1)]
        assert percentile(kept, share) == pytest.approx(real, rel=0.05)
    assert percentile({}, 0.5) is None


def test_rounding_keeps_two_digits() -> None:
    assert [rounded(ms) for ms in (0, 7, 99, 104, 105, 996, 1_049, 65_499)] == [0, 7, 99, 100, 110, 1000, 1000, 65_000]


def test_a_row_that_is_dated_back_counts_like_any_other(calls: None, alice: User) -> None:
    add_all()
    call(alice, days_ago=30)
    assert table(Question(APRIL, APRIL))[0].figures == BOBS + NOBODYS + BOBS
    add_all()
    assert table(Question(APRIL, APRIL))[0].figures == BOBS + NOBODYS + BOBS
    assert rollup.differences() == []


def test_what_is_new_is_left_to_readers_until_no_older_row_can_turn_up(alice: User) -> None:
    for minutes in (11, 9, 11):
        call(alice, days_ago=minutes / 1440)
    add_all()
    first = LLMCall.objects.order_by("id")[0]
    assert RollUp.objects.get().last_id == first.pk
    assert table(YEAR)[0].figures.calls == 3


def test_sums_are_not_written_for_a_few_rows(calls: None) -> None:
    rollup.catch_up()
    assert not ModelDay.objects.exists()
    assert table(YEAR)[0].figures.calls == 8


def many(users: list[User | None], count: int) -> None:
    """Calls of all kinds over more than a year."""
    random.seed(7)
    rows = LLMCall.objects.bulk_create(
        LLMCall(
            user=random.choice(users),
            provider=random.choice(["groq", "own"]),
            model=random.choice(["small", "large"]),
            place=random.choice([1, 1, 2]),
            outcome=random.choice(["ok", "ok", "ok", "cached", "timeout", "cancelled"]),
            purpose=random.choice(["reply", "reply", "summary"]),
            prompt_tokens=random.randrange(5_000),
            completion_tokens=random.randrange(500),
            cost=random.choice([None, "0.0000000001", "0.1234567891", "7"]),
            latency_ms=random.randrange(30_000),
        )
        for _ in range(count)
    )
    for row in rows:
        row.created_at = NOW - dt.timedelta(days=random.uniform(1, 400))
    LLMCall.objects.bulk_update(rows, ["created_at"])


QUESTIONS = (
    YEAR,
    Question(TODAY - 400 * A_DAY, TODAY),
    Question(dt.date(2026, 2, 1), dt.date(2026, 4, 30)),
    Question(dt.date(2026, 2, 2), dt.date(2026, 5, 1)),
    Question(dt.date(2026, 3, 3), dt.date(2026, 3, 9)),
    Question(YEAR.first, YEAR.last, model=("own", "large")),
)
DIMENSIONS = ((), ("day",), ("model",), ("user",), ("user", "model"), ("day", "user"), ("day", "model", "user"))


def everything() -> list[Any]:
    alice = User.objects.get(username="alice")
    questions = [*QUESTIONS, Question(YEAR.first, YEAR.last, user_id=alice.pk)]
    tables = [table(question, *by) for question in questions for by in DIMENSIONS]
    most = [table(question, "user", limit=limit) for question in questions for limit in (1, 2, 9)]
    return tables + most + [latencies_of(question) for question in questions]


def latencies_of(question: Question) -> tuple[Counter[int], list[tuple[int, int]]]:
    latencies: Counter[int] = Counter()
    slowest: list[tuple[int, int]] = []
    for measured in consistently(lambda books: books.measured(question)):
        latencies.update(measured.part.latencies)
        slowest += measured.part.slowest
    return latencies, sorted(slowest, reverse=True)[: rollup.SLOWEST]


def test_the_sums_say_what_the_ledger_says_however_they_were_made(
    capsys: pytest.CaptureFixture[str], alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    many([alice, bob, None], 300)
    live = everything()
    monkeypatch.setattr(rollup, "ROWS_AT_ONCE", 70)
    rollup.catch_up(least=150)
    assert 0 < RollUp.objects.get().last_id < LLMCall.objects.latest("pk").pk
    assert everything() == live
    add_all()
    assert everything() == live
    assert rollup.differences() == []
    call_command("roll_up", "--rebuild")
    assert f"Added {LLMCall.objects.count():,} calls" in capsys.readouterr().out
    assert everything() == live


def test_an_erased_users_figures_stay_without_the_user(calls: None, alice: User, bob: User) -> None:
    add_all()
    privacy.erase(alice, progress=lambda _: None)
    assert not UserSpan.objects.exclude(user=bob).exclude(user=None).exists()
    assert table(YEAR) == [Row((), SMALL + LARGE + BOBS + NOBODYS)]
    assert table(YEAR, "user") == [Row((None,), SMALL + LARGE + NOBODYS), Row((bob.pk,), BOBS)]
    call(None)
    add_all()
    privacy.erase(bob, progress=lambda _: None)
    assert table(YEAR, "user") == [Row((None,), SMALL + LARGE + NOBODYS + BOBS + BOBS)]
    assert rollup.differences() == []


def test_what_was_edited_by_hand_is_found_and_made_anew(calls: None, capsys: pytest.CaptureFixture[str]) -> None:
    add_all()
    call_command("roll_up", "--check")
    LLMCall.objects.filter(created_at__date=APRIL, model="large").update(cost="9")  # as only SQL can
    with pytest.raises(CommandError, match="2026-04-01, 2026-04-20"):
        call_command("roll_up", "--check")
    call_command("roll_up", "--rebuild")
    call_command("roll_up", "--check")
    assert table(Question(APRIL, APRIL))[0].figures.cost == 90_000_000_000


def test_what_is_added_while_somebody_reads_is_counted_once(calls: None) -> None:
    reads = []

    def read(books: Books) -> list[Row]:
        reads.append(1)
        live = books.live
        if len(reads) == 1:
            add_all()
        assert live or len(reads) > 1
        return books.table(YEAR, by=())

    assert consistently(read) == [Row((), SMALL + LARGE + BOBS + NOBODYS)]
    assert len(reads) == 2


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_reads_the_whole_ledger(alice: User, bob: User, question: Question) -> None:
    many([alice, bob], 300)
    add_all()
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as captured:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE")
            cursor.execute("SET LOCAL enable_seqscan = off")  # tables of a test are too small for an index to pay
        latencies_of(question)
        for by in DIMENSIONS:
            table(question, *by)
        table(question, "user", limit=2)
        plans = [plan_of(cursor, query["sql"]) for query in list(captured) if query["sql"].startswith("SELECT")]
    of_ledger = [plan for plan in plans if "llm_calls" in plan]
    assert of_ledger
    for plan in plans:
        assert "SCAN llm_calls" not in plan.replace("SCAN llm_calls USING", "SEARCH")
        assert "Seq Scan" not in plan
        assert "SCAN llm_user_spans\n" not in plan


def plan_of(cursor: Any, sql: str) -> str:
    cursor.execute(f"{'EXPLAIN' if connection.vendor == 'postgresql' else 'EXPLAIN QUERY PLAN'} {sql}")
    return "\n".join(str(row[-1]) for row in cursor.fetchall()) + "\n"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="a database in memory has one writer at a time anyway")
def test_any_number_of_processes_may_add_up_at_once_while_a_user_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollup, "ROWS_AT_ONCE", 20)
    users = [User.objects.create_user(name) for name in ("one", "two", "three")]
    many(list(users), 400)

    def work(number: int) -> None:
        try:
            if number == 2:
                privacy.erase(users[0], progress=lambda _: None)
            else:
                add_all()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(work, number) for number in range(6)]:
            done.result()
    add_all()
    assert rollup.differences() == []
    assert set(UserSpan.objects.values_list("user", flat=True)) == {None, users[1].pk, users[2].pk}
    assert table(Question(TODAY - 400 * A_DAY, TODAY))[0].figures.calls == 400
