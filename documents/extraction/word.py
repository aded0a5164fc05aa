"""Reads Word documents by walking their XML: asking python-docx for each paragraph's style was 50 times slower."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from .archive import check_archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from docx.document import Document
    from lxml.etree import _Element as Element

    from .builder import TextBuilder

MARKUP_COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
PARAGRAPH, TABLE, ROW, CELL, RUN_TEXT = (qn(f"w:{name}") for name in ("p", "tbl", "tr", "tc", "t"))
VALUE, STYLE_ID, NOTE_TYPE = qn("w:val"), qn("w:styleId"), qn("w:type")
# Wrappers around blocks: content controls, tracked insertions, custom XML.
WRAPPERS = {qn(f"w:{name}") for name in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag")}
SYMBOLS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
# Properties hold no text (but tab stops, which look like tabs); the fallback of a drawing repeats its text.
SKIPPED = {qn("w:pPr"), qn("w:rPr"), qn("w:del"), qn("w:moveFrom"), f"{MARKUP_COMPATIBILITY}Fallback"}
HEADING_NAME = re.compile(r"heading ([1-9])", re.I)
BODY_TEXT_LEVEL = 9
NOTES = ("/footnotes", "/endnotes")


def read_docx(path: Path, out: TextBuilder) -> None:
    """Paragraphs, headings by their style, tables row by row, then foot- and endnotes."""
    check_archive(path, max_bytes=out.limits.unpacked_bytes)
    document = docx.Document(str(path))
    levels = _heading_levels(document)
    for block in _blocks(document.element.body):
        if block.tag == TABLE:
            _write_table(block, out)
        else:
            _write_paragraph(block, out, level=_level(block, levels))
    for note in _notes(document):
        out.line(_text(note).strip())


def _write_table(table: Element, out: TextBuilder) -> None:
    out.gap("\n\n")
    for row in _children(table, ROW):
        out.row(_text(cell) for cell in _children(row, CELL))
    out.gap("\n\n")


def _write_paragraph(paragraph: Element, out: TextBuilder, *, level: int) -> None:
    text = _text(paragraph).strip()
    if level:
        out.heading(text, level=level)
    elif text:
        is_item = _property(paragraph, "numPr") is not None
        gap = "\n" if is_item else "\n\n"
        out.gap(gap)
        out.add(f"- {text}" if is_item else text)
        out.gap(gap)


def _blocks(parent: Element) -> Iterator[Element]:
    """Paragraphs and tables in order."""
    for child in parent.iterchildren():
        if child.tag in {PARAGRAPH, TABLE}:
            yield child
        elif child.tag in WRAPPERS:
            yield from _blocks(child)


def _children(parent: Element, tag: str) -> Iterator[Element]:
    """Rows of a table or cells of a row; each may be wrapped."""
    for child in parent.iterchildren():
        if child.tag == tag:
            yield child
        elif child.tag in WRAPPERS:
            yield from _children(child, tag)


def _text(element: Element) -> str:
    """The text in an element; paragraphs inside it (of cells, notes, text boxes) begin on a new line."""
    pieces: list[str] = []
    _collect(element, pieces)
    return "".join(pieces)


def _collect(element: Element, pieces: list[str]) -> None:
    for child in element.iterchildren():
        tag = child.tag
        if tag == RUN_TEXT:
            pieces.append(child.text or "")
        elif tag in SYMBOLS:
            pieces.append(SYMBOLS[tag])
        elif tag not in SKIPPED:
            if tag == PARAGRAPH and pieces:
                pieces.append("\n")
            _collect(child, pieces)


def _property(element: Element, name: str) -> Element | None:
    return element.find(f"{qn('w:pPr')}/{qn(f'w:{name}')}")


def _level(paragraph: Element, levels: dict[str, int]) -> int:
    """The paragraph's level as a heading; 0 for body text."""
    if own := _outline_level(paragraph):
        return own
    style = _property(paragraph, "pStyle")
    return 0 if style is None else levels.get(style.get(VALUE, ""), 0)


def _outline_level(element: Element) -> int:
    outline = _property(element, "outlineLvl")
    value = "" if outline is None else outline.get(VALUE, "")
    return int(value) + 1 if value.isdecimal() and int(value) < BODY_TEXT_LEVEL else 0


def _heading_levels(document: Document) -> dict[str, int]:
    """The heading level of each style by its id: from its name, its outline level, or the style it is based on."""
    levels: dict[str, int] = {}
    parents: dict[str, str] = {}
    for style in document.styles.element.iterchildren(qn("w:style")):
        style_id = style.get(STYLE_ID, "")
        name, parent = style.find(qn("w:name")), style.find(qn("w:basedOn"))
        named = "" if name is None else name.get(VALUE, "")
        if match := HEADING_NAME.fullmatch(named):
            levels[style_id] = int(match[1])
        elif level := 1 if named == "Title" else _outline_level(style):
            levels[style_id] = level
        elif parent is not None:
            parents[style_id] = parent.get(VALUE, "")
    for style_id in parents:
        ancestor, seen = style_id, set[str]()
        while ancestor in parents and ancestor not in seen:
            seen.add(ancestor)
            ancestor = parents[ancestor]
        levels[style_id] = levels.get(ancestor, 0)
    return levels


def _notes(document: Document) -> Iterator[Element]:
    for relation in document.part.rels.values():
        if relation.reltype.endswith(NOTES) and not relation.is_external:
            for note in parse_xml(relation.target_part.blob).iterchildren():
                if note.get(NOTE_TYPE) is None:  # the others are separator lines
                    yield note
