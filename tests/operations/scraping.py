"""Reads `/metrics` as Prometheus does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from django.test import Client
    from rest_framework.test import APIClient


class Numbers:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self._samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def __call__(self, name: str, **labels: str) -> float:
        """The sum of the samples of this name that have these labels."""
        return sum(
            sample.value for sample in self._samples if sample.name == name and labels.items() <= sample.labels.items()
        )

    def labels(self, name: str, label: str) -> set[str]:
        """The values that a label takes."""
        return {sample.labels[label] for sample in self._samples if sample.name == name}


def scrape(client: Client | APIClient) -> Numbers:
    response = client.get("/metrics")
    assert response.status_code == 200, response.content
    return Numbers(response.content.decode())
