"""What the endpoints that ask a model share: repeatable requests, events or whole answers, refusals in HTTP's terms."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions, status
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.response import Response

from llm.budgets import BudgetExceeded
from llm.context import QuestionTooLong
from llm.views import BudgetSpent

from . import jobs, turns
from .event_serializers import EVENT
from .idempotency import KeyReused, Once
from .models import Message
from .opening import Asking, ConversationGone, TurnInProgress
from .places import RETRY_SECONDS, NoPlace, place
from .serializers import MessageSerializer
from .streaming import EVENT_STREAM, event_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from django.http.response import HttpResponseBase
    from rest_framework.renderers import BaseRenderer
    from rest_framework.request import Request

    from .opening import Turn

RESPOND_ASYNC: Final = "respond-async"
IDEMPOTENCY_KEY: Final = re.compile(r"[!-~]{1,255}")
KEY_HEADER = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Makes the request repeatable: within 24 hours the same key and body are the same turn, and the answer "
    "has the header `Idempotent-Replayed: true`. One that is still running is waited for. 1 to 255 visible ASCII "
    "characters.",
)
PREFER_HEADER = OpenApiParameter(
    "Prefer",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="`respond-async` (RFC 7240): the answer comes at once, with the status 202. Its `Location` is the "
    "reply, which is `in_progress` until it has ended; it can be followed and cancelled. A request for events is "
    "answered with events.",
)
_OF_202: Final[dict[str, Any]] = {"location": OpenApiParameter.HEADER, "response": [202]}
ASKING_HEADERS = [
    KEY_HEADER,
    PREFER_HEADER,
    OpenApiParameter("Location", OpenApiTypes.URI_REF, description="The address of the reply.", **_OF_202),
    OpenApiParameter("Preference-Applied", OpenApiTypes.STR, description=f"`{RESPOND_ASYNC}`", **_OF_202),
]
EVENTS = {(200, EVENT_STREAM): EVENT}
EVENTS_OF_A_NEW_CONVERSATION = {(201, EVENT_STREAM): EVENT}
STARTING_ERRORS = {
    "404": "The conversation was deleted before its reply was there: `not_found`",
    "422": "The idempotency key came before with another request: `idempotency_mismatch`",
    "429": "Too many calls: `rate_limited`. The caller's budget does not cover a reply: `budget_exceeded`",
}
TURN_ERRORS = STARTING_ERRORS | {
    "404": "Not found, not the caller's, or deleted before its reply was there: `not_found`",
    "409": "A reply is being generated in this conversation: `turn_in_progress`",
}


class TurnConflict(exceptions.APIException):
    """409: one turn at a time."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "turn_in_progress"
    error = "Turn in progress"

    def __init__(self, exc: TurnInProgress) -> None:
        super().__init__(str(exc))
        self.wait = exc.retry_after


class IdempotencyMismatch(exceptions.APIException):
    """422: a key is for one request."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "idempotency_mismatch"
    default_detail = "This Idempotency-Key came before with another request. Use a new key for a new request."
    error = "Idempotency key reused"


class ProcessFull(exceptions.APIException):
    """503: as many turns are running as this process takes. Nothing is stored."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"
    default_detail = "As many replies are being generated as the service takes. Nothing is stored; try again."
    error = "Busy"
    wait = RETRY_SECONDS
    is_expected = True


class EventsOrJson(DefaultContentNegotiation):
    """`Accept: text/event-stream` is for the actions of the view's `streams`; their errors are JSON all the same."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        view = request.parser_context["view"]
        if wants_events(request) and getattr(view, "action", None) in view.streams:
            renderer = next(iter(renderers))
            return renderer, str(renderer.media_type)
        chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
        return chosen


def wants_events(request: Request) -> bool:
    """Whether the client says by its header that it reads events."""
    return EVENT_STREAM in request.headers.get("Accept", "")


def prefers_202(request: Request) -> bool:
    """Whether the client would rather not wait for the reply; see RFC 7240."""
    preferences = request.headers.get("Prefer", "").split(",")
    return any(preference.partition(";")[0].strip().lower() == RESPOND_ASYNC for preference in preferences)


def asking_of(request: Request, body: dict[str, Any]) -> Asking:
    """How the question is asked.

    Raises:
        ValidationError: the key cannot be one.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return Asking(model=body.get("model", ""))
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise exceptions.ValidationError({"Idempotency-Key": "Give 1 to 255 visible ASCII characters."})
    user_id = request.user.pk
    assert user_id is not None  # noqa: S101  an anonymous caller does not get here
    once = Once.of(user_id=user_id, key=key, method=request.method or "", path=request.path, body=request.data)
    return Asking(model=body.get("model", ""), once=once)


@contextmanager
def refusals(*, field: str) -> Iterator[None]:
    """Say in HTTP's terms why a turn could not be taken; `field` is where the question stands."""
    try:
        yield
    except QuestionTooLong as exc:
        raise exceptions.ValidationError({field: str(exc)}) from exc
    except TurnInProgress as exc:
        raise TurnConflict(exc) from exc
    except BudgetExceeded as exc:
        raise BudgetSpent(exc) from exc
    except KeyReused as exc:
        raise IdempotencyMismatch from exc
    except NoPlace as exc:
        raise ProcessFull from exc
    except ConversationGone as exc:
        raise exceptions.NotFound("The conversation was deleted before its reply was there.") from exc


def answered(
    request: Request,
    open_turn: Callable[[], Turn],
    *,
    body: dict[str, Any],
    field: str,
    written: Callable[[Turn], object],
    status_code: int = status.HTTP_200_OK,
) -> HttpResponseBase:
    """Take the turn and answer: with events as they come, whole when the reply is there, or at once if preferred.

    Args:
        written: what an answer without events says of the turn.
    """
    streams = body.get("stream") or wants_events(request)
    later = not streams and prefers_202(request)
    with refusals(field=field), ExitStack() as held:
        if not (later and jobs.have_workers()):
            held.enter_context(place())  # before anything is stored
        turn = open_turn()
        replayed = {"Idempotent-Replayed": "true"} if turn.is_replay else {}
        if streams:
            leave = _leaving(held, after=turns.launch(turn))
            return event_stream(turn.reply, close=leave, status=status_code, headers=replayed)
        if later:
            _leaving(held, after=turns.hand_over(turn))()
            accepted = {"Location": _address(turn.reply), "Preference-Applied": RESPOND_ASYNC}
            return Response(written(turn), status=status.HTTP_202_ACCEPTED, headers=replayed | accepted)
        turns.complete(turn)
    return Response(written(turn), status=status_code, headers=replayed | _timing(turn))


def _leaving(held: ExitStack, *, after: Future[None] | None) -> Callable[[], object]:
    """What lets go of a place when the answer is over; a reply that is generated here keeps it until it has ended."""
    leave = held.pop_all().close
    if after is None:
        return leave
    after.add_done_callback(lambda _: leave())
    return lambda: None


def whole_turn(turn: Turn) -> dict[str, Any]:
    """The question and its reply, at the end of a branch."""
    return {
        "user_message": MessageSerializer(turn.question).data,
        "assistant_message": MessageSerializer(turn.reply).data,
    }


def branched_turn(turn: Turn) -> dict[str, Any]:
    """The same, where there may be other branches beside them."""
    Message.know_siblings([turn.question, turn.reply])
    return whole_turn(turn)


def _address(reply: Message) -> str:
    return reverse("message-detail", kwargs={"conversation_id": reply.conversation_id, "pk": reply.pk})


def _timing(turn: Turn) -> dict[str, str]:
    """`Server-Timing`, in milliseconds."""
    parts = [f"{name};dur={seconds * 1000:.1f}" for name, seconds in turn.timings.items()]
    return {"Server-Timing": ", ".join(parts)} if parts else {}
