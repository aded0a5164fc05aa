"""What passes between the parts of `llm`, and in and out of it: frozen values, no rows, no HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from documents.search.packing import ChunkSpan

if TYPE_CHECKING:
    from documents.deadline import Cancellation, Deadline

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message as a provider gets it."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class HistoryMessage:
    """An earlier message of the conversation; the id says how far a window reaches."""

    id: int
    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What stands for the messages of a conversation up to and with the one whose id is `through`."""

    text: str
    through: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document that was retrieved: `content[start:end] == text`, offsets in characters.

    Chunks that overlap are merged, so `chunks` names each with its own span, in order. `number` is what the model
    cites it by. `score` is the best of its chunks, 0 to 1.

    Attributes:
        keyword_rank, vector_rank: the best place that one of them had in each search alone.
        flags: in which ways it reads like instructions to a model, see `suspicion`; mostly none.
        flagged_chunks: the ids of the chunks that do.
    """

    number: int
    document_id: int
    filename: str
    start: int
    end: int
    text: str
    score: float
    chunks: tuple[ChunkSpan, ...]
    flags: tuple[str, ...] = ()
    flagged_chunks: tuple[int, ...] = ()
    keyword_rank: int | None = None
    vector_rank: int | None = None


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whom a provider call is booked to. Ids, so that the ledger needs to know no rows."""

    user_id: int | None = None
    conversation_id: int | None = None
    message_id: int | None = None
    purpose: str = "reply"
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a provider is asked. `question` and `passages` are in `messages` too; the offline provider needs them apart.

    Args:
        deadline: by when the answer must be there; of a stream, its first token.
        stream_deadline: by when a stream must have ended; the same unless told.
        max_tokens: of the answer, the model's own reasoning included.
        attempt: 1 for the first try of a model; counted by the wrapper that retries.
        place: 1 for the model that is to answer, more for one that stands in; counted by the chain.
        fresh: a kept answer will not do, as when a reply is regenerated.
    """

    messages: tuple[ChatMessage, ...]
    deadline: Deadline
    max_tokens: int
    temperature: float
    question: str = ""
    passages: tuple[Passage, ...] = ()
    grounded_mode: bool = False
    attempt: int = 1
    place: int = 1
    fresh: bool = False
    attribution: Attribution = field(default_factory=Attribution)
    stream_deadline: Deadline | None = None
    cancellation: Cancellation | None = None

    @property
    def is_cancelled(self) -> bool:
        return self.cancellation is not None and self.cancellation.is_cancelled


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer as it is written. A stream is deltas, and last its `Completion`."""

    text: str


@dataclass(frozen=True, slots=True)
class Restart:
    """The deltas so far belong to an answer that broke off; another begins with the next."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them; `estimated` where it could not say, and the count is ours."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    estimated: bool = False

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Completion:
    """A provider's answer; `cached` when it was given before and nobody was asked."""

    text: str
    model: str
    provider: str
    usage: Usage
    finish_reason: str = "stop"
    cached: bool = False


Piece = Delta | Restart | Completion
