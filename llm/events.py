"""Tells whoever wants to know what happens here, so that measuring it needs no import the other way.

Sent with `send_robust`: a receiver that breaks is logged and costs no reply.
"""

from django.dispatch import Signal

# After each attempt at a provider, embeddings included, in the thread that made it: `call`, the LLMCall row.
llm_called = Signal()

# When a model of the chain is given up for this reply: `model` as `LLM_CHAIN` writes it, and `outcome`.
model_given_up = Signal()

# After each search for a reply: `seconds`, and `relevant`, whether the documents seem to answer the question.
retrieved = Signal()
