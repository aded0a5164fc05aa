"""`manage.py evaluate_retrieval`, on collections small enough to know every figure."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from documents.models import Document
from tests.postgresql import start_postgresql

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_django import DjangoDbBlocker

    Evaluate = Callable[..., str]

pytestmark = pytest.mark.django_db

JSON_KEYS = ["collection", "queries", "ndcg@10", "recall@5", "mrr@10", "span_share", "p50_ms", "p95_ms"]
PLACES = {
    "ferry": "The ferry leaves the northern harbour at seven in the morning.",
    "library": "The library lends three books to each reader.",
    "garden": "Tomatoes want six hours of sunlight.",
    "tower": "From the tower one sees the whole valley in autumn.",
}
GUIDE = (
    "The ferry leaves at seven. " + "The harbour is old and the water is deep. " * 120 + "The museum closes at noon."
)


@pytest.fixture
def evaluate() -> Evaluate:
    """Runs the command and gives what it printed."""

    def run(*arguments: object, **options: Any) -> str:
        out = io.StringIO()
        call_command("evaluate_retrieval", *map(str, arguments), stdout=out, **options)
        return out.getvalue()

    return run


def lines(path: Path, *entries: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    """Four documents and three questions, of which the third is answered by a document that no question finds."""
    folder = tmp_path / "town"
    lines(folder / "corpus.jsonl", *({"_id": key, "title": "", "text": text} for key, text in PLACES.items()))
    lines(
        folder / "queries.jsonl",
        {"_id": "q1", "text": "When does the ferry leave the harbour?"},
        {"_id": "q2", "text": "How many books does the library lend?"},
        {"_id": "q3", "text": "Who painted the ceiling?"},
        {"_id": "q4", "text": "A question without a known answer?"},
    )
    (folder / "qrels.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq1\tferry\t1\nq2\tlibrary\t2\nq2\tferry\t0\nq3\ttower\t1\n"
    )
    return folder


@pytest.fixture
def spans(tmp_path: Path) -> Path:
    """A document whose answer stands in it, one question of each of its ends, and another document beside it."""
    folder = tmp_path / "guides"
    start = GUIDE.index("The museum")
    lines(
        folder / "questions.jsonl",
        {"_id": "s1", "text": "When does the ferry leave?", "corpus": "guide", "refs": [[0, 26]]},
        {
            "_id": "s2",
            "text": "When does the museum close?",
            "corpus": "guide",
            "refs": [[start, len(GUIDE)], [9_000, 9_001]],
        },
        {"_id": "s3", "text": "What is red?", "corpus": "other", "refs": [[0, 17]]},
    )
    for name, text in {"guide": GUIDE, "other": "The house is red."}.items():
        (folder / "corpora").mkdir(exist_ok=True)
        (folder / "corpora" / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


def only(printed: str) -> dict[str, Any]:
    (line,) = printed.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_one_json_object_a_collection_with_the_keys_in_their_order(evaluate: Evaluate, beir: Path, spans: Path) -> None:
    printed = evaluate(beir, spans, embeddings="none", json=True)
    town, guides = map(json.loads, printed.splitlines())
    assert list(town) == list(guides) == JSON_KEYS
    assert town | {"p50_ms": 0, "p95_ms": 0} == {
        "collection": "town", "queries": 3, "ndcg@10": 0.6667, "recall@5": 0.6667, "mrr@10": 0.6667,
        "span_share": None, "p50_ms": 0, "p95_ms": 0,
    }  # fmt: skip
    assert 0 < town["p50_ms"] <= town["p95_ms"]
    assert (guides["collection"], guides["queries"], guides["ndcg@10"]) == ("guides", 3, None)
    assert guides["span_share"] == 0.75  # of four spans one stands nowhere


def test_a_table_for_people_has_a_row_a_collection_and_one_a_document(
    evaluate: Evaluate, beir: Path, spans: Path
) -> None:
    head, town, guides, guide, other = evaluate(beir, spans, embeddings="none").splitlines()
    assert (
        head.split()
        == "collection questions ndcg@10 recall@5 mrr@10 span_share grounded characters p50 ms p95 ms".split()
    )
    assert town.split()[:6] == ["town", "3", "0.6667", "0.6667", "0.6667", "-"]
    assert town.split()[6] == "0.667"  # the third question was not taken to be answered
    assert guides.split()[:6] == ["guides", "3", "-", "-", "-", "0.7500"]
    assert (guide.split()[0], guide.split()[5]) == ("guide", "0.6667")
    assert (other.split()[0], other.split()[5]) == ("other", "1.0000")


def test_a_follow_up_is_asked_with_the_users_turns_before_it(evaluate: Evaluate, beir: Path) -> None:
    lines(beir / "queries.jsonl", {"_id": "q1", "text": "And at what time?"})
    alone = only(evaluate(beir, embeddings="none", json=True))
    turns = [["user", "Tell me about the ferry"], ["agent", "The library has books."], ["user", "And at what time?"]]
    lines(beir / "conversations.jsonl", {"_id": "q1", "turns": turns})
    assert (alone["mrr@10"], only(evaluate(beir, embeddings="none", json=True))["mrr@10"]) == (0.0, 1.0)
    # What the assistant said is not searched for.
    turns[:2] = [["user", "Hello"], ["agent", "The ferry leaves the harbour."]]
    lines(beir / "conversations.jsonl", {"_id": "q1", "turns": turns})
    assert only(evaluate(beir, embeddings="none", json=True))["mrr@10"] == 0.0


def test_the_answers_may_lie_where_beir_puts_them(evaluate: Evaluate, beir: Path) -> None:
    (beir / "qrels").mkdir()
    (beir / "qrels.tsv").rename(beir / "qrels" / "test.tsv")
    assert only(evaluate(beir, embeddings="none", json=True))["queries"] == 3


def test_each_question_is_a_line_of_the_output(evaluate: Evaluate, beir: Path, spans: Path, tmp_path: Path) -> None:
    evaluate(beir, spans, embeddings="none", output=tmp_path / "run.jsonl")
    found = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(line["collection"], line["id"]) for line in found] == [
        ("town", "q1"), ("town", "q2"), ("town", "q3"), ("guides", "s1"), ("guides", "s2"), ("guides", "s3"),
    ]  # fmt: skip
    first, second, third, _, fifth, last = found
    assert (first["ndcg"], first["recall"], first["mrr"], first["span_share"]) == (1.0, 1.0, 1.0, None)
    assert first["passages"] == ["ferry#0"]
    assert (first["relevant"], third["relevant"]) == (True, False)
    assert (second["mrr"], third["mrr"]) == (1.0, 0.0)
    assert (fifth["corpus"], fifth["spans"], fifth["span_share"]) == ("guide", 2, 0.5)
    assert 26 < fifth["characters"] <= 5_000
    assert last["characters"] == len("The house is red.")
    assert all(line["ms"] > 0 for line in found)


def test_a_question_of_one_document_is_asked_of_no_other(evaluate: Evaluate, spans: Path, tmp_path: Path) -> None:
    evaluate(spans, embeddings="none", output=tmp_path / "run.jsonl")
    for line in map(json.loads, (tmp_path / "run.jsonl").read_text().splitlines()):
        assert line["passages"]
        assert {passage.partition("#")[0] for passage in line["passages"]} == {line["corpus"]}


def test_two_runs_are_compared_question_by_question(evaluate: Evaluate, beir: Path, tmp_path: Path) -> None:
    before, after = tmp_path / "before.jsonl", tmp_path / "after.jsonl"
    evaluate(beir, embeddings="none", output=before)
    text = before.read_text()
    assert text.count('"mrr": 0.0') == 1
    after.write_text(text.replace('"mrr": 0.0', '"mrr": 0.25').replace('["ferry#0"]', '["garden#0"]'))
    head, same, *measures = evaluate(compare=[before, after]).splitlines()
    assert head.split()[:5] == ["collection", "measure", "before", "after", "difference"]
    assert same.split() == ["town", *"the same passages in the same order for 2 of 3 questions".split()]
    assert [line.split()[1] for line in measures] == ["ndcg@10", "recall@5", "mrr@10"]
    assert measures[0].split()[2:5] == ["0.6667", "0.6667", "+0.0000"]
    assert measures[2].split()[2:5] == ["0.6667", "0.7500", "+0.0833"]
    assert measures[2].endswith("3 questions")


def test_the_engine_can_be_chosen_and_is_put_back(evaluate: Evaluate, beir: Path, tmp_path: Path) -> None:
    configured = settings.EMBEDDINGS
    passages = {}
    for engine in ("none", "wordllama"):
        evaluate(beir, embeddings=engine, output=tmp_path / "run.jsonl")
        first = json.loads((tmp_path / "run.jsonl").read_text().splitlines()[0])
        passages[engine] = first["passages"]
        assert configured == settings.EMBEDDINGS
    assert passages["none"] == ["ferry#0"]
    assert len(passages["wordllama"]) > 1  # vectors find chunks that share no word


def test_an_engine_that_cannot_be_loaded_is_an_error(evaluate: Evaluate, beir: Path) -> None:
    with pytest.raises(CommandError, match="'magic' cannot be loaded"):
        evaluate(beir, embeddings="magic")


@pytest.mark.parametrize("noise", ["typo", "filler"])
def test_noise_spoils_the_questions_and_the_answers_are_still_found(evaluate: Evaluate, beir: Path, noise: str) -> None:
    assert only(evaluate(beir, embeddings="none", json=True, noise=noise))["mrr@10"] == 0.6667


def test_a_limit_asks_the_first_questions_only(evaluate: Evaluate, beir: Path) -> None:
    found = only(evaluate(beir, embeddings="none", json=True, limit=2))
    assert (found["queries"], found["mrr@10"]) == (2, 1.0)


def test_nothing_of_it_is_left_in_the_configured_database(evaluate: Evaluate, beir: Path) -> None:
    own = Document.objects.create(filename="own.txt", sha256="own", status="ready")
    evaluate(beir, embeddings="none")
    assert list(Document.objects.values_list("pk", flat=True)) == [own.pk]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM documents")
        assert cursor.fetchone() == (1,)


def test_it_measures_on_postgresql_too_and_finds_the_same(
    evaluate: Evaluate, beir: Path, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    server = os.environ.get("TEST_DATABASE_URL") or start_postgresql()
    evaluate(beir, output=tmp_path / "here.jsonl")
    evaluate(beir, output=tmp_path / "there.jsonl", server=server)
    printed = evaluate(compare=[tmp_path / "here.jsonl", tmp_path / "there.jsonl"])
    assert "the same passages in the same order for 3 of 3 questions" in printed


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "empty": ({}, "neither a corpus.jsonl nor a questions.jsonl"),
    "no answers": ({"corpus.jsonl": '{"_id": "a", "text": "A."}', "queries.jsonl": ""}, "no qrels.tsv"),
    "no questions": (
        {"corpus.jsonl": '{"_id": "a", "text": "A."}', "queries.jsonl": "", "qrels.tsv": "q\ta\t1"},
        "no documents, or no question",
    ),
    "broken line": ({"corpus.jsonl": '{"_id": "a", "text": "A."}\n\n{"_id'}, "line 3"),
    "not an object": ({"corpus.jsonl": "[1, 2]"}, "line 1: not an object"),
    "no id": ({"corpus.jsonl": '{"text": "A."}'}, "_id"),
    "no text": ({"corpus.jsonl": '{"_id": "a", "text": 5}'}, "not a string"),
    "not utf-8": ({"corpus.jsonl": b'{"_id": "\xff"}'}, "UnicodeDecodeError"),
    "no grade": (
        {"corpus.jsonl": '{"_id": "a", "text": "A."}', "queries.jsonl": "", "qrels.tsv": "q\ta\t1\nq\ta"}, "line 2"
    ),
    "turns": (
        {
            "corpus.jsonl": '{"_id": "a", "text": "A."}', "queries.jsonl": '{"_id": "q", "text": "A?"}',
            "qrels.tsv": "q\ta\t1", "conversations.jsonl": '{"_id": "q", "turns": [["user"], ["user", "A?"]]}',
        },
        "ValueError",
    ),
    "half a span": (
        {"questions.jsonl": '{"_id": "q", "text": "A?", "corpus": "a", "refs": [[1]]}', "corpora/a.md": "A."},
        "ValueError",
    ),
    "another corpus": (
        {"questions.jsonl": '{"_id": "q", "text": "A?", "corpus": "b", "refs": [[0, 1]]}', "corpora/a.md": "A."},
        "questions of b, which is not in corpora/",
    ),
}  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_collection_is_refused_with_the_place(evaluate: Evaluate, tmp_path: Path, broken: str) -> None:
    files, reason = BROKEN[broken]
    for name, content in files.items():
        path = tmp_path / "broken" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CommandError, match=reason) as refused:
        evaluate(tmp_path / "broken", embeddings="none")
    assert "broken" in str(refused.value)


def test_paths_and_a_comparison_do_not_go_together_nor_is_nothing_enough(evaluate: Evaluate, beir: Path) -> None:
    for arguments, options in (((), {}), ((beir,), {"compare": [beir, beir]})):
        with pytest.raises(CommandError, match="Give the folders of collections"):
            evaluate(*arguments, **options)


def test_what_is_no_output_of_a_run_is_not_compared(evaluate: Evaluate, beir: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.jsonl", beir / "corpus.jsonl", beir / "qrels.tsv"):
        with pytest.raises(CommandError, match=r"is not a file written by --output"):
            evaluate(compare=[path, path])


def test_a_file_that_cannot_be_written_is_told_before_the_work(evaluate: Evaluate, beir: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        evaluate(beir, embeddings="none", output=tmp_path / "missing" / "run.jsonl")


def test_a_limit_below_one_is_refused(beir: Path) -> None:
    with pytest.raises(CommandError, match="at least 1"):
        call_command("evaluate_retrieval", str(beir), "--limit", "0")
