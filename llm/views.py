"""Which models can be asked, what the caller used and what is left to spend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import APIView

from . import budgets, examples, pricing
from .providers import registry
from .serializers import AmountField, ModelsSerializer, UsageParams, UsageSerializer
from .usage import usage_of

if TYPE_CHECKING:
    from rest_framework.request import Request


class BudgetSpent(exceptions.APIException):
    """429: what is left of the caller's budget does not cover the reply."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "budget_exceeded"
    error = "Budget exceeded"

    def __init__(self, exc: budgets.BudgetExceeded) -> None:
        super().__init__(str(exc))
        self.wait = exc.retry_after
        amount = AmountField().to_representation
        self.extra = {
            "scope": exc.scope,
            "limit": amount(exc.limit),
            "used": amount(exc.used),
            "resets_at": exc.resets_at,
        }


class ModelsView(APIView):
    """The configured models."""

    @extend_schema(
        summary="List the models that can be asked, in the order in which they are",
        description="A message may name one in `model`; it is asked first, and the others stand by.",
        responses={200: ModelsSerializer},
        operation_id="models_list",
        examples=examples.MODELS,
    )
    def get(self, request: Request) -> Response:
        models = [
            {
                "id": known,
                "provider": provider,
                "model": model,
                "is_default": place == 0,
                "price": pricing.listed(provider, model),
            }
            for place, (known, (provider, model)) in enumerate(
                zip(registry.configured_models(), registry.usable_chain(), strict=True)
            )
        ]
        return Response(ModelsSerializer({"models": models}).data)


class UsageView(APIView):
    """The caller's own usage."""

    @extend_schema(
        summary="Add up your tokens, cost and calls, and see what is left of your budget",
        description="Every attempt at a model counts, failed ones included. Without `from` and `to`: the month so far.",
        parameters=[UsageParams],
        responses={200: UsageSerializer},
        operation_id="usage_retrieve",
        examples=examples.USAGE,
    )
    def get(self, request: Request) -> Response:
        params = UsageParams(data=request.query_params.dict())
        params.is_valid(raise_exception=True)
        asked = params.validated_data
        user_id = int(request.user.pk or 0)
        usage = usage_of(user_id, first=asked["from"], last=asked["to"], group_by=asked["group_by"])
        standings = budgets.standings(user_id)
        answer = asked | {
            "totals": usage.totals,
            "rows": usage.rows,
            "budget": standings,
            "warnings": [standing.warning for standing in standings if standing.is_warning],
        }
        return Response(UsageSerializer(answer).data)
