"""One request computes at a time; those that wait keep nobody, whether they say so or not."""

from __future__ import annotations

import io
import threading
import time
from typing import TYPE_CHECKING

import pytest

from botgpt.operations.bodies import Body
from botgpt.operations.run_queue import PATIENCE_SECONDS, RunQueue
from documents.elsewhere import elsewhere, waited_seconds, working

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

LONG = 10.0  # seconds that nothing here takes


class Bench:
    """A queue, and what its requests do."""

    def __init__(self, queue: RunQueue) -> None:
        self.queue = queue
        self.computing, self.most = 0, 0
        self.may_end = threading.Event()
        self.order: list[object] = []

    def compute(self, seconds: float = 0.002) -> int:
        self.computing += 1
        self.most = max(self.most, self.computing)
        time.sleep(seconds)
        self.computing -= 1
        return threading.get_ident()

    def compute_around(self, wait: Callable[[], object]) -> None:
        self.compute()
        with elsewhere():
            wait()
        self.compute()

    def is_stuck(self) -> None:
        assert self.may_end.wait(LONG)

    def waits(self) -> None:
        with elsewhere():
            self.is_stuck()

    def done(self, *futures: Future[object]) -> list[object]:
        """Their results, while somebody looks after the queue as the worker does."""
        until = time.monotonic() + LONG
        while not all(future.done() for future in futures):
            assert time.monotonic() < until
            self.queue.relieve()
            time.sleep(0.001)
        return [future.result() for future in futures]


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench(RunQueue(4))
    yield bench
    bench.may_end.set()
    bench.queue.shutdown()


def test_one_computes_after_the_other_in_one_thread(bench: Bench) -> None:
    futures = [bench.queue.submit(bench.compute) for _ in range(20)]
    threads = [future.result(LONG) for future in futures]  # without help: nothing here is stuck
    assert bench.most == 1
    assert len(set(threads)) == 1


def test_as_many_compute_as_may(bench: Bench) -> None:
    bench.queue.parallelism = 2
    for future in [bench.queue.submit(bench.compute) for _ in range(20)]:
        future.result(LONG)
    assert bench.most == 2


def test_others_compute_while_some_wait_and_these_go_on_one_by_one(bench: Bench) -> None:
    everyone = threading.Barrier(4)  # passed only if all four are there at once
    bench.done(*(bench.queue.submit(bench.compute_around, lambda: everyone.wait(LONG)) for _ in range(4)))
    assert bench.most == 1


def test_who_goes_on_comes_before_who_is_new(bench: Bench) -> None:
    is_waiting, may_compute = threading.Event(), threading.Event()

    def begun() -> None:
        with elsewhere():
            is_waiting.set()
            may_compute.wait(LONG)
        bench.order.append("begun")

    def busy() -> None:
        may_compute.set()
        while not bench.queue._resuming:
            time.sleep(0.001)

    first = bench.queue.submit(begun)
    assert is_waiting.wait(LONG)
    futures = [bench.queue.submit(busy), bench.queue.submit(bench.order.append, "new")]
    for future in (first, *futures):  # without help: nothing here is stuck
        future.result(LONG)
    assert bench.order == ["begun", "new"]


def test_a_new_one_begins_however_many_come_back(bench: Bench) -> None:
    def comes_back() -> None:
        while not bench.may_end.is_set():
            with elsewhere():
                time.sleep(0)
            bench.compute(PATIENCE_SECONDS / 40)

    coming_back = [bench.queue.submit(comes_back) for _ in range(3)]
    while not bench.queue._resuming:
        time.sleep(0.001)
    for _ in range(5):
        bench.done(bench.queue.submit(bench.order.append, "new"))
    assert not any(future.done() for future in coming_back)


def test_a_request_knows_how_long_it_waited_for_its_beginning(bench: Bench) -> None:
    bench.queue.submit(bench.is_stuck)
    came = time.monotonic()
    waited = bench.queue.submit(waited_seconds)
    bench.done(waited)
    assert PATIENCE_SECONDS * 0.9 <= waited.result() <= time.monotonic() - came


def test_a_request_that_does_not_say_that_it_waits_keeps_the_next_for_a_moment(bench: Bench) -> None:
    stuck = bench.queue.submit(bench.is_stuck)
    began = time.monotonic()
    bench.done(*(bench.queue.submit(bench.compute) for _ in range(5)))
    assert time.monotonic() - began >= PATIENCE_SECONDS * 0.9
    assert not stuck.done()
    assert bench.most == 1  # one place, also beside it


def test_nor_does_it_keep_one_that_goes_on(bench: Bench) -> None:
    is_waiting, may_go_on = threading.Event(), threading.Event()

    def waiting() -> None:
        with elsewhere():
            is_waiting.set()
            may_go_on.wait(LONG)

    waited = bench.queue.submit(waiting)
    assert is_waiting.wait(LONG)
    stuck = bench.queue.submit(bench.is_stuck)
    may_go_on.set()
    waited.result(LONG)  # and nobody relieves
    assert not stuck.done()


def test_several_that_go_on_have_all_places_of_those_that_are_stuck(bench: Bench) -> None:
    bench.queue.parallelism = 2
    both_are_waiting, may_go_on = threading.Barrier(3), threading.Event()

    def goes_on_together() -> None:
        with elsewhere():
            both_are_waiting.wait(LONG)
            may_go_on.wait(LONG)
        bench.order.append(len(bench.queue._resuming))

    going_on = [bench.queue.submit(goes_on_together) for _ in range(2)]
    both_are_waiting.wait(LONG)
    for _ in range(2):
        bench.queue.submit(bench.is_stuck)
    may_go_on.set()
    for future in going_on:
        future.result(LONG)
    assert bench.order == [0, 0]  # none had to wait for the other


def test_those_that_are_stuck_have_no_place_while_others_come_and_go(bench: Bench) -> None:
    bench.queue.parallelism = 2
    bench.queue.submit(bench.is_stuck)
    bench.done(*(bench.queue.submit(bench.compute, PATIENCE_SECONDS / 10) for _ in range(50)))
    assert bench.most == 2


def test_with_all_threads_waiting_the_next_begins_when_one_has_ended(bench: Bench) -> None:
    waiting = [bench.queue.submit(bench.waits) for _ in range(4)]
    late = bench.queue.submit(bench.compute)
    time.sleep(3 * PATIENCE_SECONDS)
    bench.queue.relieve()
    assert bench.queue.has_new
    bench.may_end.set()
    bench.done(late, *waiting)
    assert not bench.queue.has_new


def test_threads_that_have_rested_are_used_again(bench: Bench) -> None:
    bench.may_end.set()
    for _ in range(3):
        bench.done(*(bench.queue.submit(bench.waits) for _ in range(4)))


def test_what_a_request_raises_is_its_future_s_and_the_next_one_begins(bench: Bench) -> None:
    broken = bench.queue.submit(int, "no number")
    bench.done(bench.queue.submit(bench.compute))
    with pytest.raises(ValueError, match="no number"):
        broken.result(LONG)


def test_what_waits_as_it_breaks_has_given_its_place_back(bench: Bench) -> None:
    def breaks() -> None:
        with elsewhere():
            raise ValueError("broken")

    broken = bench.queue.submit(breaks)
    assert isinstance(broken.exception(LONG), ValueError)
    bench.queue.submit(bench.compute).result(LONG)
    assert not bench.queue._running


def test_an_ending_queue_begins_nothing_and_lets_what_runs_end(bench: Bench) -> None:
    running, late = bench.queue.submit(bench.is_stuck), bench.queue.submit(bench.compute)
    bench.queue.shutdown(wait=False)
    bench.may_end.set()
    running.result(LONG)
    bench.queue.relieve()
    time.sleep(2 * PATIENCE_SECONDS)
    assert not late.done()
    assert bench.queue.has_new


class Noted:
    """Counts the waits that it is told of."""

    waited_seconds = 0.0
    waits = 0

    def pause(self) -> None:
        self.waits += 1

    def resume(self) -> None:
        pass


@pytest.mark.django_db
@pytest.mark.parametrize(("length", "waits"), [("8192", 0), ("8193", 2), ("", 2), ("-1", 2)])
def test_a_long_body_is_waited_for_without_a_place(length: str, waits: int) -> None:
    noted = Noted()
    body = Body(io.BytesIO(b"one\ntwo"), length=length)
    with working(noted):
        assert (body.readline(), body.read()) == (b"one\n", b"two")
    assert noted.waits == waits


def test_outside_of_a_request_nothing_happens() -> None:
    with elsewhere():
        assert waited_seconds() == 0
