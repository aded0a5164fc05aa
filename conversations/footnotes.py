"""The sources of a reply as lines of text: document, page or heading, and the quote."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from documents.models import Chunk

if TYPE_CHECKING:
    from .models import Message

MARK = re.compile(r"\[(\d{1,3})\]")


def footnotes(reply: Message) -> list[str]:
    """One line for each different source, by the number of its mark in the text."""
    citations = reply.citations
    marks = MARK.findall(reply.content)
    if len(marks) != len(citations):  # brackets that are no marks, in code for example
        marks = [str(number) for number, _ in enumerate(citations, start=1)]
    chunks = Chunk.objects.filter(pk__in={citation["chunk_id"] for citation in citations}) if citations else []
    headings = {chunk.pk: chunk.heading for chunk in chunks}
    lines = []
    for mark, citation in zip(marks, citations, strict=True):
        page = f"page {citation['page']}" if citation["page"] else ""
        place = ", ".join(filter(None, [citation["filename"], page, headings.get(citation["chunk_id"], "")]))
        lines.append(f"  [{mark}] {place}: “{' '.join(citation['quote'].split())}”")
    return list(dict.fromkeys(lines))
