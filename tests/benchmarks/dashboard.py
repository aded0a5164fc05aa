"""Times the admin's dashboard over a ledger of a million rows, on SQLite and on PostgreSQL.

    make bench-dashboard ARGS="--rows 1_000_000 --users 1000"

Nothing but the page is timed, by a client in the same process: all of its queries, figures and HTML.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import time
from typing import TYPE_CHECKING

import django
from django.conf import settings
from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402  Django must be set up before

from botgpt.accounts.models import User  # noqa: E402
from botgpt.operations.management.commands.seed import amount  # noqa: E402
from llm import rollup  # noqa: E402
from llm.models import LLMCall  # noqa: E402
from llm.sums import ModelDay, RollUp, UserSpan  # noqa: E402

from . import databases  # noqa: E402

ENGINES = {"sqlite": databases.sqlite, "postgresql": databases.postgresql}
RUNS = 20
# Calls of the last year in the order of their time: all users alike, two models of which one is the fallback too.
LEDGER = {
    "sqlite": """
        WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %(rows)s)
        INSERT INTO llm_calls (user_id, purpose, provider, model, attempt, place, outcome, error, prompt_tokens,
                               completion_tokens, cached_tokens, estimated, cost, latency_ms, request_id, created_at)
        SELECT %(first)s + abs(random()) %% %(users)s, 'reply', 'groq',
               CASE WHEN n %% 5 THEN 'openai/gpt-oss-20b' ELSE 'openai/gpt-oss-120b' END, 1,
               CASE WHEN n %% 25 THEN 1 ELSE 2 END, CASE WHEN n %% 29 THEN 'ok' ELSE 'timeout' END, '',
               400 + abs(random()) %% 4000, 40 + abs(random()) %% 600, 0, 0, 0.0003, 300 + abs(random()) %% 6000, '',
               strftime('%%Y-%%m-%%d %%H:%%M:%%f000', 'now', (31536000.0 * (1.0 * n / %(rows)s - 1)) || ' seconds')
        FROM numbers
    """,
    "postgresql": """
        INSERT INTO llm_calls (user_id, purpose, provider, model, attempt, place, outcome, error, prompt_tokens,
                               completion_tokens, cached_tokens, estimated, cost, latency_ms, request_id, created_at)
        SELECT %(first)s + floor(random() * %(users)s), 'reply', 'groq',
               CASE WHEN n %% 5 > 0 THEN 'openai/gpt-oss-20b' ELSE 'openai/gpt-oss-120b' END, 1,
               CASE WHEN n %% 25 > 0 THEN 1 ELSE 2 END, CASE WHEN n %% 29 > 0 THEN 'ok' ELSE 'timeout' END, '',
               400 + floor(random() * 4000), 40 + floor(random() * 600), 0, false, 0.0003, 300 + floor(random() * 6000),
               '', now() - interval '365 days' * (1 - 1.0 * n / %(rows)s)
        FROM generate_series(1, %(rows)s) AS n
    """,
}
PAGES = {
    "7 days": "days=7",
    "30 days": "days=30",
    "90 days": "days=90",
    "365 days": "days=365",
    "366 days that cut two months": "from={first}&to={last}",
    "365 days, one model": "days=365&model=groq/openai/gpt-oss-20b",
    "365 days, the user with most calls": "days=365&user=user0",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=amount, default=1_000_000, help="of the ledger")
    parser.add_argument("--users", type=amount, default=1_000, help="who made them")
    parser.add_argument("--engines", default="sqlite,postgresql")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    settings.ALLOWED_HOSTS = ["testserver"]
    for engine in options.engines.split(","):
        with ENGINES[engine]() as alias, databases.using(alias):
            print(f"\n{engine}, {options.rows:,} rows of {options.users:,} users")  # noqa: T201
            for line in measured(options.rows, options.users):
                print(f"  {line}", flush=True)  # noqa: T201


def measured(rows: int, users: int) -> Iterator[str]:
    """The results as they come."""
    people = User.objects.bulk_create(User(username=f"user{number}") for number in range(users))
    databases.execute(LEDGER[connection.vendor], {"first": people[0].pk, "users": users, "rows": rows})
    rollup.ROWS_AT_ONCE = 50_000  # nobody else writes here
    with tqdm(total=rows, unit=" calls", leave=False) as bar:
        seconds = timed(lambda: rollup.catch_up(least=1, progress=bar.update))
    live = LLMCall.objects.filter(pk__gt=RollUp.objects.get().last_id).count()
    sums = f"{ModelDay.objects.count():,} rows by model, {UserSpan.objects.count():,} by user"
    yield f"adding up: {seconds:.0f} s, {sums}; {live:,} rows are too new"
    databases.execute("ANALYZE")  # as a database that has run for a day has done by itself
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    days = LLMCall.objects.order_by("-created_at").values_list("created_at", flat=True)[:1]
    last = days[0].date()
    first = last.replace(year=last.year - 1)
    for name, query in PAGES.items():
        address = "/admin/?" + query.format(first=first, last=last)
        client.get(address)
        times = sorted(1_000 * timed(lambda: client.get(address)) for _ in range(RUNS))  # noqa: B023
        least, median, most = times[0], statistics.median(times), times[int(0.95 * RUNS) - 1]
        yield f"{name:36} least {least:4.0f} ms   p50 {median:4.0f} ms   p95 {most:4.0f} ms"


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
