"""Somebody who may see the admin, and something to see there."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from botgpt.accounts.models import ApiKey, AuditEvent, User
from llm.budgets import settle
from llm.models import Budget, LLMCall, ModelPrice
from tests.builders import conversation_of, document_of

if TYPE_CHECKING:
    from conversations.models import Conversation
    from documents.models import Document


@dataclass(frozen=True, slots=True)
class World:
    """One row of everything, all of alice."""

    document: Document
    conversation: Conversation
    key: ApiKey
    call: LLMCall
    price: ModelPrice
    budget: Budget
    event: AuditEvent


@pytest.fixture
def world(alice: User) -> World:
    document = document_of(alice, "The warranty of the Alta is three years.", filename="manual.txt")
    conversation = conversation_of(alice, title="About the warranty", turns=2, documents=[document])
    key, _ = ApiKey.objects.issue(user=alice, name="laptop")
    price = ModelPrice.objects.create(provider="own", model="mine", input="0.5", output=2)
    budget = Budget.objects.create(user=alice, day_tokens=1_000, month_cost="1.5")
    settle(user_id=alice.pk, tokens=120, cost=Decimal("0.002"), at=timezone.now())
    call = call_of(alice, conversation=conversation)
    event = AuditEvent.objects.record(AuditEvent.Action.CHANGE, key)
    return World(document, conversation, key, call, price, budget, event)


@pytest.fixture
def clerk(db: None) -> Client:
    """Staff, and nothing else."""
    return staff_client()


def staff_client(*permissions: str) -> Client:
    """A browser of somebody who may enter the admin and do this much, such as `documents.view_document`."""
    user = User.objects.create_user(f"clerk{User.objects.count()}", is_staff=True)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    client = Client()
    client.force_login(user)
    return client


def call_of(user: User | None, *, conversation: Conversation | None = None, **fields: object) -> LLMCall:
    """A row of the ledger."""
    given = {
        "provider": "groq",
        "model": "small",
        "outcome": "ok",
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "cost": "0.002",
    }
    return LLMCall.objects.create(user=user, conversation=conversation, **(given | fields))
