"""The requests as an `.http` file, as VS Code's REST Client and httpYac read it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from .story import GIVEN, Request, requests

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = """\
# Every operation of BOT GPT, to be sent from top to bottom: each request finds what it needs, the last ones delete what
# was made. Fill in apiKey: manage.py create_api_key demo
"""


def text() -> str:
    given = "".join(f"@{name} = {value}".rstrip() + "\n" for name, value in GIVEN.items())
    blocks, filled = [], ""
    for request in requests():
        blocks.append(_block(request, filled=filled))
        filled = "".join(_filled(request))  # at the top of the next block, or it would be taken for a body
    return HEAD + given + "\n" + "\n".join(blocks)


def _block(request: Request, *, filled: str) -> str:
    query = f"?{urlencode(request.step.query, quote_via=quote)}" if request.step.query else ""
    text = f"### {request.title}\n{filled}"
    if request.step.fills:
        text += f"# @name {request.operation.id}\n"
    text += f"{request.operation.method.upper()} {{{{baseUrl}}}}{request.path}{query}\n"
    if request.token:
        text += f"Authorization: Bearer {{{{{request.token}}}}}\n"
    return text + (f"Content-Type: application/json\n\n{request.body}\n" if request.body else "")


def _filled(request: Request) -> Iterator[str]:
    for name, path in request.step.fills.items():
        place = "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in path.split("."))
        yield f"@{name} = {{{{{request.operation.id}.response.body.${place}}}}}\n"
