"""Examples for the OpenAPI document: what the endpoints of models and usage answer."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample

PRICE = {"input_mtok": "0.075", "cache_read_mtok": "0.0375", "output_mtok": "0.3"}
FIGURES = {
    "calls": 12,
    "ok": 11,
    "failed": 1,
    "prompt_tokens": 5_120,
    "completion_tokens": 980,
    "cached_tokens": 2_048,
    "tokens": 6_100,
    "cost": "0.0006780000",
    "unpriced_calls": 0,
}

MODELS = [
    OpenApiExample(
        "The configured chain",
        {
            "models": [
                {
                    "id": "groq/openai/gpt-oss-20b",
                    "provider": "groq",
                    "model": "openai/gpt-oss-20b",
                    "is_default": True,
                    "price": PRICE,
                },
                {"id": "ollama/qwen3", "provider": "ollama", "model": "qwen3", "is_default": False, "price": None},
            ]
        },
        response_only=True,
    )
]
USAGE = [
    OpenApiExample(
        "A day",
        {
            "from": "2026-01-01",
            "to": "2026-01-01",
            "group_by": "day",
            "totals": FIGURES,
            "rows": [FIGURES | {"group": "2026-01-01"}],
            "budget": [
                {
                    "scope": "day_tokens",
                    "limit": 100_000,
                    "used": 6_100,
                    "remaining": 93_900,
                    "resets_at": "2026-01-02T00:00:00Z",
                }
            ],
            "warnings": [],
        },
        response_only=True,
    )
]
