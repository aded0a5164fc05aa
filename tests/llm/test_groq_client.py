"""The one HTTP client of a process: shared by threads, kept between calls, not shared with a fork."""

from __future__ import annotations

import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from llm import errors
from llm.providers import groq as adapter
from llm.providers.groq import Groq
from tests.llm.requests import chat_request
from tests.provider_server import PROVIDER_KEY, chat_completion, drip, hang, reply, status

if TYPE_CHECKING:
    from pytest_django import Settings

    from tests.provider_server import Behaviour, Connection, ProviderServer


def test_calls_one_after_the_other_use_one_connection(groq: ProviderServer) -> None:
    groq.will(reply(), status(500), status(429))

    Groq("small").complete(chat_request())
    for model in ("small", "large"):
        with pytest.raises(errors.ProviderError):
            Groq(model).complete(chat_request())
    Groq("large").complete(chat_request())

    assert [received.connection for received in groq.requests] == [1, 1, 1, 1]


def test_a_cookie_of_one_answer_does_not_go_along_with_the_next_users_call(groq: ProviderServer) -> None:
    def with_cookie(connection: Connection) -> None:
        connection.answer(200, chat_completion("Hello."), headers={"set-cookie": "who=alice; Path=/"})

    groq.will(with_cookie, reply())
    Groq("small").complete(chat_request())
    Groq("small").complete(chat_request())
    assert [{name.lower() for name in received.headers} & {"cookie"} for received in groq.requests] == [set(), set()]


def test_a_connection_that_timed_out_is_not_used_again(groq: ProviderServer) -> None:
    groq.will(drip(), reply("After."))

    with pytest.raises(errors.ProviderTimeout):
        Groq("small").complete(chat_request(seconds=0.3))

    assert Groq("small").complete(chat_request()).text == "After."
    assert groq.connections == 2


def test_32_threads_get_each_its_own_answer_at_the_same_time(groq: ProviderServer) -> None:
    together = threading.Barrier(32, timeout=10)  # breaks unless all 32 calls are under way at once
    models = [f"model-{number}" for number in range(32)]
    for model in models:
        groq.always(_when_all_are_here(together, reply(f"From {model}")), model=model)

    with ThreadPoolExecutor(32) as pool:
        completions = list(pool.map(lambda model: Groq(model).complete(chat_request()), models))

    assert [completion.text for completion in completions] == [f"From {model}" for model in models]


def _when_all_are_here(together: threading.Barrier, behaviour: Behaviour) -> Behaviour:
    def behave(connection: Connection) -> None:
        together.wait()
        behaviour(connection)

    return behave


def test_a_full_pool_is_waited_for_within_the_calls_time(groq: ProviderServer, settings: Settings) -> None:
    settings.LLM_MAX_CONNECTIONS = 1
    groq.will(hang())
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(Groq("small").complete, chat_request(seconds=2))
        while not groq.requests:
            threading.Event().wait(0.01)
        with pytest.raises(errors.ProviderTimeout, match="LLM_MAX_CONNECTIONS"):
            Groq("small").complete(chat_request(seconds=0.1))
        assert isinstance(first.exception(), errors.ProviderTimeout)


def test_a_forked_process_opens_connections_of_its_own(groq: ProviderServer) -> None:
    Groq("small").complete(chat_request())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of threads; the child needs none
        child = os.fork()
    if child == 0:
        code = 1
        try:
            Groq("small").complete(chat_request())
            code = 0
        finally:
            os._exit(code)
    _, result = os.waitpid(child, 0)
    Groq("small").complete(chat_request())

    assert os.waitstatus_to_exitcode(result) == 0
    assert [received.connection for received in groq.requests] == [1, 2, 1]


def test_warming_makes_the_client_that_calls_use(groq: ProviderServer) -> None:
    adapter.warm()
    made = adapter._client()

    Groq("small").complete(chat_request())

    assert adapter._client() is made
    assert made.api_key == PROVIDER_KEY
