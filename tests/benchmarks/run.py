"""Fills temporary stores, races the search and the indexing in them, and prints what was measured as Markdown."""

from __future__ import annotations

import logging
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from typing import TYPE_CHECKING

from documents.models import Chunk
from documents.search import search_chunks

from . import databases, indexing, report, rivals, store
from .texts import Writer
from .timing import WARM_UP, race

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Sequence

ENGINES = {databases.SQLITE: databases.sqlite, databases.POSTGRESQL: databases.postgresql}
CHECKED = 10  # questions of a scope on which the engines' rankings are compared
BARS = {1_000: 10, 10_000: 50, 100_000: 300}  # chunks in scope: the p50 of a search in milliseconds, at most


def main() -> None:
    options = _options()
    logging.disable(logging.INFO)
    _print("# Indexing")
    for alias in options.engines:
        _measure_indexing(options, alias)
    with ExitStack() as stack:
        # Documents are indexed on SQLite, whatever is measured.
        for alias in dict.fromkeys([databases.SQLITE, *options.engines]):
            stack.enter_context(ENGINES[alias]())
        _measure_search(options)
        _print("\n# Bytes a chunk\n", "| engine | | bytes |", "|---|---|---|", sep="\n")
        for alias in options.engines:
            _print(*report.bytes_table(alias), sep="\n")
        _print("\n# Machine\n", *report.machine(options.engines), sep="\n")


def _measure_indexing(options: Namespace, alias: str) -> None:
    for chunks in options.file_chunks:
        with ENGINES[alias]() as opened:
            results = indexing.measure(opened, Writer(options.seed), files=options.files, chunks=chunks)
        _print(
            f"\n## {alias}, {options.files} files of about {chunks} chunks\n", *report.indexing_table(results), sep="\n"
        )


def _measure_search(options: Namespace) -> None:
    writer = Writer(options.seed)
    with databases.using(databases.SQLITE):
        originals = store.index_originals(writer, chunks=min(options.distinct, options.store))
    filled = store.plan(originals, writer, chunks=options.store)
    if databases.POSTGRESQL in options.engines:
        store.transfer(databases.SQLITE, databases.POSTGRESQL)
    for alias in options.engines:
        with databases.using(alias):
            store.copy(filled)
        rivals.prepare(alias)
    sizes = filled.sizes
    _print(
        f"\n# Search in a store of {sum(sizes.values()):,} chunks in {len(sizes):,} documents,",
        f"{sum(originals.values()):,} chunks of them distinct",
    )
    for wanted in options.scopes:
        _race(options, writer, _scope(sizes, writer, chunks=wanted), bar=BARS.get(wanted))


def _scope(sizes: dict[int, int], writer: Writer, *, chunks: int) -> rivals.Scope:
    """Documents from all over the store, until they have so many chunks."""
    keys = list(sizes)
    chosen: list[int] = []
    held = 0
    for place in writer.pick(len(keys), of=len(keys)):
        if held >= chunks:
            break
        chosen.append(keys[place])
        held += sizes[keys[place]]
    return rivals.Scope(documents=tuple((key, sizes[key]) for key in sorted(chosen)))


def _race(options: Namespace, writer: Writer, scope: rivals.Scope, *, bar: int | None) -> None:
    first = options.engines[0]
    with databases.using(first):
        questions = list(_questions(writer, scope, count=options.rounds + WARM_UP))
    rival, seconds = rivals.in_memory(first, scope)
    everyone = [rival for alias in options.engines for rival in rivals.on_engine(alias, scope)] + [rival]
    times = race(everyone, questions, label=f"{scope.chunks:,} chunks")
    _print(
        f"\n## {scope.chunks:,} chunks of {len(scope.documents):,} documents in scope, {options.rounds} questions\n",
        *report.search_table(everyone, times),
        "",
        f"bm25s indexed the scope in {seconds:.1f} s, before.",
        *([f"The bar of a search: p50 at most {bar} ms."] if bar else []),
        *([_agreement(options.engines, scope, questions[:CHECKED])] if len(options.engines) > 1 else []),
        sep="\n",
    )


def _questions(writer: Writer, scope: rivals.Scope, *, count: int) -> Iterable[rivals.Asked]:
    """Questions that some chunk of the scope answers."""
    for number, place in enumerate(writer.draw(count, of=len(scope.documents))):
        document, chunks = scope.documents[place]
        position = writer.draw(1, of=chunks)[0]
        text = Chunk.objects.values_list("text", flat=True).get(document_id=document, position=position)
        yield rivals.Asked.of(writer.question(text, number=number))


def _agreement(engines: Iterable[str], scope: rivals.Scope, questions: Sequence[rivals.Asked]) -> str:
    """On how many questions all engines rank the same chunks in the same order."""
    same = 0
    for asked in questions:
        rankings = set()
        for alias in engines:
            with databases.using(alias):
                hits = search_chunks(asked.text, document_ids=scope.ids, limit=rivals.LIMIT).hits
            rankings.add(tuple((hit.document_id, hit.position) for hit in hits))
        same += len(rankings) == 1
    return f"The engines rank the same ten chunks in the same order for {same} of {len(questions)} questions."


def _options() -> Namespace:
    parser = ArgumentParser(prog="make bench-retrieval", description=__doc__)
    parser.add_argument("--store", type=int, default=20_000, help="chunks in the store (%(default)s)")
    parser.add_argument("--scopes", type=_numbers, default=[1_000, 10_000], help="chunks searched: 1000,10000")
    parser.add_argument("--engines", type=_engines, default=list(ENGINES), help="sqlite,postgresql")
    parser.add_argument("--rounds", type=int, default=15, help="questions a scope (%(default)s)")
    parser.add_argument("--distinct", type=int, default=50_000, help="chunks that are not copies (%(default)s)")
    parser.add_argument("--files", type=int, default=5, help="files a kind (%(default)s)")
    parser.add_argument("--file-chunks", type=_numbers, default=[60], help="chunks of a file: 60,600")
    parser.add_argument("--seed", type=int, default=1, help="of all texts and questions (%(default)s)")
    options = parser.parse_args()
    if max(options.scopes) > options.store:
        parser.error("A scope cannot have more chunks than the store.")
    return options


def _numbers(value: str) -> list[int]:
    return [int(part) for part in value.split(",")]


def _engines(value: str) -> list[str]:
    names = value.split(",")
    if not set(names) <= ENGINES.keys():
        raise ValueError
    return names


def _print(*lines: str, sep: str = " ") -> None:
    sys.stdout.write(sep.join(lines) + "\n")
    sys.stdout.flush()
