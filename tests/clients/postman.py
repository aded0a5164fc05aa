"""The requests as a Postman collection (v2.1): a folder for each group, and tests that fill the variables."""

from __future__ import annotations

import json
from typing import Any

from botgpt.api.reference import TAGS

from .story import Request, requests, variables

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
LAST = "clean up"
INTRODUCTION = (
    "Every operation of BOT GPT. Fill in `apiKey` (`manage.py create_api_key demo`), and `baseUrl`, `username` and "
    "`password` where they are others; then run the folders from top to bottom: each request finds what it needs, and "
    "the last folder deletes what the others made."
)


def collection() -> dict[str, Any]:
    """The collection, ready to be imported or run with newman."""
    folders: dict[str, dict[str, Any]] = {}
    described = {tag["name"]: tag["description"] for tag in TAGS} | {LAST: "Delete what was made."}
    for request in requests():
        name = _folder(request)
        folders.setdefault(name, {"name": name, "description": described[name], "item": []})
        folders[name]["item"].append(_item(request))
    folders[LAST] = folders.pop(LAST)
    return {
        "info": {"name": "BOT GPT", "description": INTRODUCTION, "schema": SCHEMA},
        "auth": _bearer("apiKey"),
        "variable": [{"key": name, "value": value} for name, value in variables().items()],
        "item": list(folders.values()),
    }


def text() -> str:
    return json.dumps(collection(), indent=2, ensure_ascii=False) + "\n"


def _folder(request: Request) -> str:
    is_last = request.operation.id in {"conversations_destroy", "documents_destroy", "auth_revoke"}
    return LAST if is_last else str(request.operation.spec["tags"][0])


def _item(request: Request) -> dict[str, Any]:
    sent: dict[str, Any] = {
        "method": request.operation.method.upper(),
        "url": _url(request),
        "header": [{"key": "Content-Type", "value": "application/json"}] if request.body else [],
        "description": request.operation.spec["description"],
    }
    if request.body:
        sent["body"] = {"mode": "raw", "raw": request.body, "options": {"raw": {"language": "json"}}}
    if request.token != "apiKey":
        sent["auth"] = _bearer(request.token) if request.token else {"type": "noauth"}
    tests = [f"pm.test('the answer is a success', () => pm.expect(pm.response.code).to.be.oneOf({request.statuses}));"]
    for name, path in request.step.fills.items():
        value = "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in path.split("."))
        tests.append(f"pm.collectionVariables.set('{name}', pm.response.json(){value});")
    event = {"listen": "test", "script": {"type": "text/javascript", "exec": tests}}
    return {"name": request.title, "request": sent, "event": [event]}


def _url(request: Request) -> dict[str, Any]:
    """Optional parameters are there, switched off."""
    query = [
        {
            "key": parameter["name"],
            "value": request.step.query.get(parameter["name"], ""),
            "description": parameter.get("description", ""),
            "disabled": parameter["name"] not in request.step.query,
        }
        for parameter in request.operation.parameters("query")
    ]
    given = "&".join(f"{name}={value}" for name, value in request.step.query.items())
    raw = f"{{{{baseUrl}}}}{request.path}{'?' if given else ''}{given}"
    return {"raw": raw, "host": ["{{baseUrl}}"], "path": request.path.split("/")[1:], "query": query}


def _bearer(variable: str) -> dict[str, Any]:
    return {"type": "bearer", "bearer": [{"key": "token", "value": f"{{{{{variable}}}}}", "type": "string"}]}
