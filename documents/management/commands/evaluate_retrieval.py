"""Measures the search on collections of questions with known answers; docs/retrieval.md describes them."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
from django.core.management.base import CommandError

from documents import terminal
from documents.embeddings import embedder
from documents.evaluation.collections import BadCollection, read_collection
from documents.evaluation.measures import paired_bootstrap
from documents.evaluation.noise import NOISE
from documents.evaluation.run import ask, ingest, scratch_database

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence

    from documents.evaluation.collections import Collection
    from documents.evaluation.run import Outcome

MEASURES = {"ndcg@10": "ndcg", "recall@5": "recall", "mrr@10": "mrr", "span_share": "span_share"}


EPILOG = """\
A collection is a folder with corpus.jsonl, queries.jsonl and qrels.tsv; docs/retrieval.md describes it.

examples:
  manage.py evaluate_retrieval questions/
  manage.py evaluate_retrieval questions/ --embeddings none --output before.jsonl
  manage.py evaluate_retrieval --compare before.jsonl after.jsonl
"""


class Command(terminal.Command):
    """Measures the search."""

    help = (
        "Ingest collections into a scratch database, ask their questions and print how well\n"
        "the answers were found; or compare two runs question by question."
    )
    epilog = EPILOG
    json_help = "one JSON object a collection, a line each"
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="folder of a collection")
        parser.add_argument("--embeddings", help="engine to measure with instead of the configured one, e.g. none")
        parser.add_argument("--server", metavar="URL", help="PostgreSQL to make the scratch database on; else SQLite")
        parser.add_argument("--limit", type=_positive, help="ask only the first so many questions of each collection")
        parser.add_argument("--noise", choices=sorted(NOISE), help="spoil every question: one typo, or polite filler")
        parser.add_argument("--output", type=Path, help="write one JSON object a question to this file")
        parser.add_argument(
            "--compare", nargs=2, type=Path, metavar=("BEFORE", "AFTER"), help="compare two files written by --output"
        )

    def handle(self, **options: Any) -> None:
        if bool(options["paths"]) == bool(options["compare"]):
            raise CommandError("Give the folders of collections, or --compare with two files.")
        if options["compare"]:
            self._compare(*options["compare"])
            return
        try:
            collections = [read_collection(path) for path in options["paths"]]
        except BadCollection as exc:
            raise CommandError(str(exc)) from exc
        with ExitStack() as stack:
            output = stack.enter_context(_opened(options["output"])) if options["output"] else None
            for collection in collections:
                found = self._evaluate(collection, options)
                self._report(collection.name, found)
                if output:
                    output.writelines(json.dumps(asdict(outcome), ensure_ascii=False) + "\n" for outcome in found)

    def _evaluate(self, collection: Collection, options: dict[str, Any]) -> list[Outcome]:
        with scratch_database(embeddings=options["embeddings"], server=options["server"]) as engine:
            if engine not in {"", "none"} and embedder() is None:
                raise CommandError(f"The embeddings {engine!r} cannot be loaded; --embeddings none goes without.")
            documents = ingest(self.each(collection.entries, desc=f"{collection.name}: documents"))
            questions = collection.questions[: options["limit"]]
            if options["noise"]:
                questions = tuple(question.spoiled(NOISE[options["noise"]]) for question in questions)
            progress = self.each(questions, desc=f"{collection.name}: questions")
            return list(ask(progress, collection=collection.name, documents=documents))

    def _report(self, name: str, outcomes: Sequence[Outcome]) -> None:
        self.print_json(_summary(name, outcomes), indent=False)
        if not getattr(self, "_headed", False):
            self._headed = True
            heads = "".join(
                f"{head:>12}" for head in ("questions", *MEASURES, "grounded", "characters", "p50 ms", "p95 ms")
            )
            self.say(f"{'collection':28}{heads}")
        parts = sorted({outcome.corpus for outcome in outcomes} - {""})
        self.say(_row(name, outcomes))
        for part in parts if len(parts) > 1 else []:
            self.say(_row(f"  {part}", [outcome for outcome in outcomes if outcome.corpus == part]))

    def _compare(self, before_file: Path, after_file: Path) -> None:
        before, after = _read_outcomes(before_file), _read_outcomes(after_file)
        self.say(f"{'collection':28}{'measure':12}{'before':>8}{'after':>8}{'difference':>12}  95 % of resamples")
        for collection in dict.fromkeys(name for name, _ in before):
            both = [(line, after[key]) for key, line in before.items() if key[0] == collection and key in after]
            if not both:
                continue
            same = sum(first["passages"] == second["passages"] for first, second in both)
            self.say(f"{collection:28}the same passages in the same order for {same} of {len(both)} questions")
            for label, name in MEASURES.items():
                pairs = [
                    (first[name], second[name]) for first, second in both if None not in {first[name], second[name]}
                ]
                if not pairs:
                    continue
                found = paired_bootstrap(*zip(*pairs, strict=True))
                self.say(
                    f"{collection:28}{label:12}{found.before:8.4f}{found.after:8.4f}{found.difference:+12.4f}"
                    f"  {found.low:+.4f} to {found.high:+.4f}, p = {found.p:.4f}, {len(pairs)} questions"
                )


def _positive(value: str) -> int:
    number = int(value)
    if number < 1:
        raise ArgumentTypeError("at least 1")
    return number


def _opened(path: Path) -> TextIO:
    """The file to write to, opened before minutes of work, not after them."""
    try:
        return path.open("w", encoding="utf-8")
    except OSError as exc:
        raise CommandError(f"{path} cannot be written: {exc.strerror}.") from exc


def _summary(name: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    p50, p95 = np.percentile([outcome.ms for outcome in outcomes], [50, 95])
    return {
        "collection": name,
        "queries": len(outcomes),
        **{label: _mean(outcomes, measure) for label, measure in MEASURES.items()},
        "p50_ms": round(float(p50), 2),
        "p95_ms": round(float(p95), 2),
    }


def _mean(outcomes: Sequence[Outcome], measure: str) -> float | None:
    """The mean over the questions, that of span_share over their spans; None if the collection has no such measure."""
    values = [
        (value, max(1, outcome.spans)) for outcome in outcomes if (value := getattr(outcome, measure)) is not None
    ]
    if not values:
        return None
    numbers, weights = zip(*values, strict=True)
    return round(float(np.average(numbers, weights=weights)), 4)


def _row(name: str, outcomes: Sequence[Outcome]) -> str:
    summary = _summary(name, outcomes)
    grounded = fmean(outcome.relevant for outcome in outcomes)
    characters = fmean(outcome.characters for outcome in outcomes)
    cells = [
        f"{summary['queries']}",
        *("-" if summary[label] is None else f"{summary[label]:.4f}" for label in MEASURES),
        f"{grounded:.3f}",
        f"{characters:.0f}",
        f"{summary['p50_ms']:.1f}",
        f"{summary['p95_ms']:.1f}",
    ]
    return f"{name:28}" + "".join(f"{cell:>12}" for cell in cells)


def _read_outcomes(path: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """(collection, question id) to the line of the file."""
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return {(line["collection"], line["id"]): line for line in lines}
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise CommandError(f"{path} is not a file written by --output: {exc}") from exc
