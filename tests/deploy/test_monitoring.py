"""Prometheus' rules and Grafana's dashboard against promtool, and against the numbers that the service tells."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml
from prometheus_client import REGISTRY

from botgpt.operations import metrics  # noqa: F401  registers them
from tests.deploy.tools import DEPLOY, needs, run

if TYPE_CHECKING:
    from pathlib import Path

ALERTS = DEPLOY / "prometheus/alerts.yml"
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/dashboards/botgpt.json").read_text())
OF_THE_QUEUES = {  # made when they are asked for
    *("botgpt_documents", "botgpt_documents_oldest_seconds"),
    *("botgpt_turns_waiting", "botgpt_turns_waiting_oldest_seconds"),
}


def expressions() -> list[str]:
    rules = [rule["expr"] for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    return rules + [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def test_every_number_that_is_asked_for_exists() -> None:
    suffixes = ("", "_total", "_bucket", "_count", "_sum")
    told = {family.name + suffix for family in REGISTRY.collect() for suffix in suffixes} | OF_THE_QUEUES
    asked = {name for expression in expressions() for name in re.findall(r"botgpt_\w+", expression)}
    assert len(asked) > 15
    assert asked - told == set()


def test_every_number_is_on_the_dashboard() -> None:
    shown = " ".join(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])
    names = {family.name for family in REGISTRY.collect() if family.name.startswith("botgpt_")}
    assert {name for name in names if name not in shown} == set()


@needs("promtool")
def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    (tmp_path / "alerts.yml").write_text(ALERTS.read_text())
    configuration = (DEPLOY / "prometheus/prometheus.yml").read_text()
    (tmp_path / "prometheus.yml").write_text(configuration.replace("/run/secrets/metrics_token", str(token)))
    assert "11 rules found" in run("promtool", "check", "config", tmp_path / "prometheus.yml")


@needs("promtool")
def test_prometheus_understands_what_the_dashboard_asks(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(expressions())
    ]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    run("promtool", "check", "rules", path)


@needs("promtool")
def test_alerts_go_off_when_they_should_and_only_then(tmp_path: Path) -> None:
    run("promtool", "test", "rules", DEPLOY / "prometheus/alerts.test.yml", cwd=tmp_path)


def test_the_dashboard_has_no_two_panels_of_one_number_or_place() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)
