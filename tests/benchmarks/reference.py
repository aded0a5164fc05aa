# mypy: ignore-errors
"""What `make bench` compares with: the same design written with FastAPI and SQLAlchemy, plainly and well.

One process, SQLite, synchronous endpoints in the thread pool, the Groq SDK, the whole history read in each turn and
then cut to the window. It has none of accounts, limits, ledger, citations, idempotency or metrics.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal

import orjson
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from groq import Groq
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import JSON, ForeignKey, Index, String, Text, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker

MODEL = os.environ["GROQ_MODEL"]
WINDOW_TOKENS = int(os.environ["MAX_CONTEXT_TOKENS"])
CHARS_PER_TOKEN = 4

engine = create_engine(os.environ["DATABASE_URL"], connect_args={"check_same_thread": False})
SessionLocal = sessionmaker(bind=engine, autoflush=False)
groq = Groq()


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


# --- Tables -----------------------------------------------------------------------------------
class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(100), unique=True)
    email: Mapped[str | None] = mapped_column(String(255), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Conversation(Base):
    __tablename__ = "conversations"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    title: Mapped[str | None] = mapped_column(String(255))
    mode: Mapped[str] = mapped_column(String(50), default="open")
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime | None]
    messages: Mapped[list[Message]] = relationship(order_by="Message.created_at", cascade="all, delete-orphan")
    document_links: Mapped[list[ConversationDocument]] = relationship(cascade="all, delete-orphan")


class Message(Base):
    __tablename__ = "messages"
    __table_args__ = (Index("messages_in_order", "conversation_id", "created_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    role: Mapped[str] = mapped_column(String(20))
    content: Mapped[str] = mapped_column(Text)
    tokens_used: Mapped[int] = mapped_column(default=0)
    model_used: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(default=now)


class Document(Base):
    __tablename__ = "documents"
    id: Mapped[int] = mapped_column(primary_key=True)
    filename: Mapped[str] = mapped_column(String(255))
    content: Mapped[str | None] = mapped_column(Text)
    chunks: Mapped[list[str] | None] = mapped_column(JSON)


class ConversationDocument(Base):
    __tablename__ = "conversation_documents"
    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"), index=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"))


# --- Payloads ---------------------------------------------------------------------------------
class NewConversation(BaseModel):
    first_message: str = Field(min_length=1)
    mode: Literal["open", "rag"] = "open"
    document_ids: list[int] | None = None


class NewMessage(BaseModel):
    message: str = Field(min_length=1)


class MessageOut(BaseModel):
    model_config = ConfigDict(from_attributes=True, protected_namespaces=())
    id: int
    conversation_id: int
    role: str
    content: str
    tokens_used: int
    model_used: str | None
    created_at: datetime


class ConversationOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    user_id: int
    title: str | None
    mode: str
    created_at: datetime
    updated_at: datetime | None
    message_count: int


class WholeConversation(ConversationOut):
    messages: list[MessageOut]
    document_ids: list[int] | None


class Page(BaseModel):
    conversations: list[ConversationOut]
    total: int
    page: int
    page_size: int


# --- Services ---------------------------------------------------------------------------------
def in_window(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """The newest that fit; the system prompt always does."""
    system = [message for message in messages if message["role"] == "system"]
    left = WINDOW_TOKENS - sum(len(message["content"]) // CHARS_PER_TOKEN for message in system)
    kept: list[dict[str, str]] = []
    for message in reversed(messages[len(system) :]):
        left -= len(message["content"]) // CHARS_PER_TOKEN
        if left < 0:
            break
        kept.append(message)
    return system + kept[::-1]


def passages(db: Session, conversation: Conversation, question: str) -> str:
    words = {word for word in question.lower().split() if len(word) > 3}
    ids = [link.document_id for link in conversation.document_links]
    chunks = [
        chunk for document in db.scalars(select(Document).where(Document.id.in_(ids))) for chunk in document.chunks
    ]
    ranked = sorted(chunks, key=lambda chunk: -sum(word in chunk.lower() for word in words))
    return "\n\n".join(ranked[:3])


def prompt(db: Session, conversation: Conversation, question: str) -> list[dict[str, str]]:
    messages = []
    if conversation.mode == "rag":
        found = passages(db, conversation, question)
        messages.append({"role": "system", "content": f"Answer from these passages:\n{found}"})
    stored = select(Message).where(Message.conversation_id == conversation.id).order_by(Message.created_at)
    messages += [{"role": message.role, "content": message.content} for message in db.scalars(stored)]
    return in_window(messages)


def find(db: Session, conversation_id: int) -> Conversation:
    conversation = db.get(Conversation, conversation_id)
    if conversation is None:
        raise HTTPException(404, {"error": "Not found", "detail": f"No conversation with ID {conversation_id} exists"})
    return conversation


def add_question(db: Session, conversation: Conversation, text: str) -> Message:
    question = Message(conversation_id=conversation.id, role="user", content=text)
    db.add(question)
    db.commit()
    db.refresh(question)
    return question


def add_reply(db: Session, conversation: Conversation, text: str, tokens: int) -> None:
    db.add(
        Message(conversation_id=conversation.id, role="assistant", content=text, tokens_used=tokens, model_used=MODEL)
    )
    conversation.updated_at = now()
    db.commit()


def take_turn(db: Session, conversation: Conversation, text: str) -> Message:
    question = add_question(db, conversation, text)
    answer = groq.chat.completions.create(model=MODEL, messages=prompt(db, conversation, text))
    add_reply(db, conversation, answer.choices[0].message.content, answer.usage.total_tokens)
    db.refresh(question)
    return question


def shown(conversation: Conversation, **more: object) -> dict[str, object]:
    names = ("id", "user_id", "title", "mode", "created_at", "updated_at")
    return {name: getattr(conversation, name) for name in names} | more


def whole(conversation: Conversation) -> dict[str, object]:
    documents = [link.document_id for link in conversation.document_links] or None
    messages = conversation.messages
    return shown(conversation, messages=messages, message_count=len(messages), document_ids=documents)


# --- Endpoints --------------------------------------------------------------------------------
def session() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db


Db = Annotated[Session, Depends(session)]
app = FastAPI(title="Reference")


@app.exception_handler(HTTPException)
def refused(_: Request, exc: HTTPException) -> JSONResponse:
    return JSONResponse(exc.detail, exc.status_code)


@app.exception_handler(RequestValidationError)
def invalid(_: Request, exc: RequestValidationError) -> JSONResponse:
    return JSONResponse({"error": "Invalid request", "detail": str(exc.errors())}, 400)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.post("/api/v1/conversations", response_model=WholeConversation, status_code=201)
def start(body: NewConversation, db: Db, user_id: int = 1) -> dict[str, object]:
    conversation = Conversation(user_id=user_id, title=body.first_message[:50], mode=body.mode)
    db.add(conversation)
    db.commit()
    db.refresh(conversation)
    db.add_all(ConversationDocument(conversation_id=conversation.id, document_id=pk) for pk in body.document_ids or [])
    take_turn(db, conversation, body.first_message)
    return whole(conversation)


@app.get("/api/v1/conversations", response_model=Page)
def listed(
    db: Db,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
    user_id: int = 1,
) -> dict[str, object]:
    own = select(Conversation).where(Conversation.user_id == user_id)
    total = db.scalar(select(func.count()).select_from(own.subquery()))
    newest = own.order_by(Conversation.updated_at.desc()).offset((page - 1) * page_size).limit(page_size)
    rows = db.scalars(newest).all()
    counts = (
        select(Message.conversation_id, func.count())
        .where(Message.conversation_id.in_([row.id for row in rows]))
        .group_by(Message.conversation_id)
    )
    known = dict(db.execute(counts).tuples().all())
    conversations = [shown(row, message_count=known.get(row.id, 0)) for row in rows]
    return {"conversations": conversations, "total": total, "page": page, "page_size": page_size}


@app.get("/api/v1/conversations/{conversation_id}", response_model=WholeConversation)
def read(conversation_id: int, db: Db) -> dict[str, object]:
    return whole(find(db, conversation_id))


@app.put("/api/v1/conversations/{conversation_id}", response_model=MessageOut)
def add(conversation_id: int, body: NewMessage, db: Db) -> Message:
    return take_turn(db, find(db, conversation_id), body.message)


@app.post("/api/v1/conversations/{conversation_id}/messages")
def stream(conversation_id: int, body: NewMessage, db: Db) -> StreamingResponse:
    conversation = find(db, conversation_id)
    add_question(db, conversation, body.message)
    messages = prompt(db, conversation, body.message)

    def events() -> Iterator[bytes]:
        texts, tokens = [], 0
        for chunk in groq.chat.completions.create(model=MODEL, messages=messages, stream=True):
            if chunk.choices and (text := chunk.choices[0].delta.content):
                texts.append(text)
                yield b"data: " + orjson.dumps({"text": text}) + b"\n\n"
            if chunk.x_groq and chunk.x_groq.usage:
                tokens = chunk.x_groq.usage.total_tokens
        with SessionLocal() as later:
            add_reply(later, find(later, conversation_id), "".join(texts), tokens)
        yield b"data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


Base.metadata.create_all(engine)
