"""Writes what was measured as Markdown, as docs/benchmarks.md shows it."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from .databases import POSTGRESQL, SQLITE, execute, using
from .timing import Spread, ratios

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .indexing import Throughput
    from .rivals import Asked
    from .timing import Rival

PACKAGES = "numpy wordllama bm25s pgvector psycopg pypdfium2 selectolax python-docx"
KEYWORD_BYTES = "SELECT sum(length(keyword_index)) FROM documents"
BYTES = {
    SQLITE: {
        "text": "SELECT sum(length(CAST(text AS BLOB))) FROM chunks",
        "keyword index": KEYWORD_BYTES,
        "vectors": "SELECT sum(length(matrix)) FROM document_vectors",
        "FTS5's index": "SELECT sum(length(block)) FROM bench_fts_data",
    },
    POSTGRESQL: {
        "text": "SELECT sum(octet_length(text)) FROM chunks",
        "keyword index": KEYWORD_BYTES,
        "vectors": "SELECT sum(pg_column_size(matrix)) FROM document_vectors",
        "ts_rank_cd: tsvectors and GIN": "SELECT pg_total_relation_size('bench_terms')",
        "pgvector: a row a chunk": "SELECT pg_total_relation_size('bench_vectors')",
    },
}


def machine(aliases: Sequence[str], *, packages: str = PACKAGES) -> Iterator[str]:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield f"- {_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB; load {os.getloadavg()[0]:.1f} at the end"
    engines = [f"Python {platform.python_version()}"]
    if SQLITE in aliases:
        engines.append(f"SQLite {sqlite3.sqlite_version}")
    if POSTGRESQL in aliases:
        with using(POSTGRESQL):
            engines.append(f"PostgreSQL {execute('SHOW server_version')[0][0]}")
            extension = execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'")[0][0]
            engines.append(f"pgvector {extension}")
    yield "- " + ", ".join([*engines, *(f"{name} {version(name)}" for name in packages.split() if name != "pgvector")])


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def search_table(rivals: Sequence[Rival[Asked]], times: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """A row a rival: its milliseconds, and its time over that of ours, question by question."""
    yield "| | fastest ms | p50 ms | p95 ms | times as long as | median (quartiles) |"
    yield "|---|---|---|---|---|---|"
    beside = ratios(rivals, times)
    for rival in rivals:
        spread = Spread.of(times[rival.name])
        ratio = ("", "") if rival.beside == rival.name else (rival.beside, _ratio(beside[rival.name]))
        figures = " | ".join(map(_ms, (spread.least, spread.median, spread.p95)))
        yield f"| {rival.name} | {figures} | {ratio[0]} | {ratio[1]} |"


def indexing_table(results: Sequence[Throughput]) -> Iterator[str]:
    """A row a kind of file."""
    yield "| | file KB | chunks | ms | of it reading | documents/s | MB/s | library alone, ms | times as long |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for one in results:
        yield (
            f"| {one.kind} | {one.file_bytes / 1e3:.0f} | {one.chunks} | {_ms(one.pipeline.median)} "
            f"| {_ms(one.reading.median)} | {1000 / one.pipeline.median:.1f} "
            f"| {one.file_bytes / one.pipeline.median / 1e3:.2f} | {_ms(one.library.median)} | {_ratio(one.ratio)} |"
        )


def bytes_table(alias: str) -> Iterator[str]:
    """What a chunk takes in the store of this alias."""
    with using(alias):
        chunks = execute("SELECT count(*) FROM chunks")[0][0]
        for name, question in BYTES[alias].items():
            yield f"| {alias} | {name} | {execute(question)[0][0] / chunks:.0f} |"


def _ms(figure: float) -> str:
    return f"{figure:.1f}" if figure < 100 else f"{figure:.0f}"


def _ratio(spread: Spread) -> str:
    median, low, high = (
        f"{figure:.2f}" if figure < 100 else f"{figure:.0f}" for figure in (spread.median, spread.low, spread.high)
    )
    return f"{median} ({low}–{high})"
