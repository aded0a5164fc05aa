"""Keeps the owner's number of conversations, so that a list's total needs no COUNT."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import F
from django.db.models.signals import post_delete
from django.dispatch import receiver

from .models import Conversation


@receiver(post_delete, sender=Conversation)
def count_down(instance: Conversation, **_: Any) -> None:
    """One fewer; fires for single, bulk and cascading deletes alike."""
    get_user_model().objects.filter(pk=instance.user_id).update(conversation_count=F("conversation_count") - 1)
