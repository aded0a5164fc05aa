"""What text, headings and pages are read from files of each kind."""

from __future__ import annotations

import codecs
import datetime as dt
import io
from typing import TYPE_CHECKING

import docx
import pytest
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from documents.extraction.detection import detect
from documents.extraction.sandbox import extract
from tests.documents import files

if TYPE_CHECKING:
    from pathlib import Path

    from documents.types import Extracted


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


class Reader:
    """Reads bytes as an upload of the given name would be read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str, data: bytes | str) -> Extracted:
        path = self.folder / "stored"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        with path.open("rb") as file:
            media_type = detect(file, filename=name)
        extracted = extract(path, media_type=media_type)
        for heading in extracted.headings:
            assert heading.text in extracted.text[heading.start : heading.start + len(heading.text) + 10]
        return extracted


def outline(extracted: Extracted) -> list[tuple[int, str]]:
    return [(heading.level, heading.text) for heading in extracted.headings]


# --- Plain text -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Größe ≤ 5 €".encode(), "Größe ≤ 5 €"),
        (codecs.BOM_UTF8 + "Größe".encode(), "Größe"),
        ("Größe 😀".encode("utf-16"), "Größe 😀"),
        (codecs.BOM_UTF16_BE + "Größe".encode("utf-16-be"), "Größe"),
        ("Größe".encode("utf-32"), "Größe"),
        (codecs.BOM_UTF32_BE + "Größe".encode("utf-32-be"), "Größe"),
        ("“Größe” – 5 €".encode("cp1252"), "“Größe” – 5 €"),
        (b"undefined in cp1252: \x81", "undefined in cp1252: \ufffd"),
    ],
)
def test_text_is_decoded_by_its_mark_or_as_utf_8_or_as_cp1252(read: Reader, data: bytes, text: str) -> None:
    assert read("a.txt", data).text == text


def test_text_is_clean_newlines_are_one_kind_and_control_characters_are_gone(read: Reader) -> None:
    extracted = read("a.txt", "one\r\ntwo\rthree\u2028four\x0cfive\x07 \ufeffsix\ttab" + " padding" * 20)
    assert extracted.text.startswith("one\ntwo\nthree\nfour\nfive six\ttab")


def test_half_of_a_surrogate_pair_in_utf_16_becomes_a_replacement_character(read: Reader) -> None:
    assert read("a.txt", codecs.BOM_UTF16_LE + b"a\0\x00\xd8b\0").text == "a\ufffdb"


# --- Markdown ---------------------------------------------------------------------------------


def test_markdown_headings_are_found_but_not_in_code_or_front_matter(read: Reader) -> None:
    extracted = read(
        "a.md",
        "---\ntitle: x\n# no: heading\n---\n# One #\n\ntext\n\n```\n# code\n```\n\nTwo\n===\n\n   ## Three\n\n"
        "Four\n----\n\n#not one\n- item\n---\n",
    )
    assert outline(extracted) == [(1, "One"), (1, "Two"), (2, "Three"), (2, "Four")]
    assert [extracted.text[h.start :].split("\n")[0] for h in extracted.headings] == [
        "# One #", "Two", "## Three", "Four",
    ]  # fmt: skip


# --- HTML -------------------------------------------------------------------------------------


def test_html_gives_what_a_reader_sees(read: Reader) -> None:
    extracted = read(
        "page",
        """<!DOCTYPE html><html><head><title>Shop</title><style>p {color: red}</style></head><body>
        <nav><a href="/">Home</a></nav><h1>Return <em>policy</em></h1><p>Lamps:&nbsp;30&#32;days,<br>bulbs
        <b>never</b>.</p><script>alert("no")</script><h2>Fees</h2><ul><li>post<li>packing</ul>
        <table><tr><th>What<th>How much<tr><td>Post<td><p>5 €</p></table><pre>a  b
  c</pre><!-- no --></body></html>""",
    )
    assert extracted.text == (
        "Return policy\n\nLamps: 30 days,\nbulbs never.\n\nFees\n\npost\npacking\n\n"
        "What | How much\nPost | 5 €\n\na  b\n  c"
    )
    assert outline(extracted) == [(1, "Return policy"), (2, "Fees")]


def test_a_page_without_a_heading_is_headed_by_its_title(read: Reader) -> None:
    extracted = read("a.html", "<title>Shop</title><p>Open at nine.")
    assert extracted.text == "Shop\n\nOpen at nine."
    assert outline(extracted) == [(1, "Shop")]


def test_a_table_that_lays_out_a_page_is_not_squeezed_into_a_line(read: Reader) -> None:
    extracted = read("a.html", "<table><tr><td><h1>News</h1><p>One</p><p>Two</p><td>Aside</table>")
    assert extracted.text == "News\n\nOne\n\nTwo\n\nAside"


def test_html_that_declares_its_encoding_is_read_in_it(read: Reader) -> None:
    page = "<meta charset='shift_jis'><p>ランプの返品</p>"
    assert read("a.html", page.encode("shift_jis")).text == "ランプの返品"


# --- PDF --------------------------------------------------------------------------------------


def test_a_pdf_keeps_its_pages_and_their_offsets(read: Reader) -> None:
    extracted = read("a.pdf", files.pdf("First page.", "", "Third page."))
    assert extracted.media_type == "application/pdf"
    assert [page.number for page in extracted.pages] == [1, 2, 3]
    texts = [extracted.text[page.start : page.end] for page in extracted.pages]
    assert [text.strip() for text in texts] == ["First page.", "", "Third page."]
    assert "".join(texts) == extracted.text
    assert "\r" not in extracted.text


def test_a_word_broken_at_the_end_of_a_line_of_a_pdf_is_whole_again(read: Reader) -> None:
    assert "an example of" in read("a.pdf", files.pdf("This is an exam-\nple of it.")).text


def test_a_pdf_is_read_as_one_whatever_text_name_it_has(read: Reader) -> None:
    assert read("notes.txt", files.pdf("Really a PDF.")).text.strip() == "Really a PDF."


# --- DOCX -------------------------------------------------------------------------------------


def test_a_docx_gives_headings_paragraphs_and_table_rows_in_order(read: Reader) -> None:
    data = files.word(
        ("Manual", 0), "Intro.", ("Fees", 1), [["What", "How much"], ["Post", "5 €\nor less"]], ("Small", 2), "End."
    )
    extracted = read("a.docx", data)
    assert extracted.text == ("Manual\n\nIntro.\n\nFees\n\nWhat | How much\nPost | 5 € or less\n\nSmall\n\nEnd.")
    assert outline(extracted) == [(1, "Manual"), (1, "Fees"), (2, "Small")]


def test_a_docx_heading_is_known_by_the_style_that_its_own_style_is_based_on(read: Reader) -> None:
    document = docx.Document()
    style = document.styles.add_style("House heading", 1)
    style.base_style = document.styles["Heading 2"]
    document.add_paragraph("Rules", style="House heading")
    document.add_paragraph("One", style="List Bullet")
    document.add_paragraph("text")
    assert outline(read("a.docx", saved(document))) == [(2, "Rules")]


def test_of_a_docx_with_tracked_changes_the_new_text_is_read(read: Reader) -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("Closed on ")
    for tag, text_tag, text in (("w:del", "w:delText", "Monday"), ("w:ins", "w:t", "Sunday")):
        change, run, content = OxmlElement(tag), OxmlElement("w:r"), OxmlElement(text_tag)
        content.text = text
        run.append(content)
        change.append(run)
        paragraph._p.append(change)
    control, inner = OxmlElement("w:sdt"), OxmlElement("w:sdtContent")
    inner.append(document.add_paragraph("In a content control.")._p)
    control.append(inner)
    document.element.body.insert_element_before(control, "w:sectPr")
    assert read("a.docx", saved(document)).text == "Closed on Sunday\n\nIn a content control."


def test_tabs_and_line_breaks_of_a_docx_are_kept(read: Reader) -> None:
    document = docx.Document()
    run = document.add_paragraph().add_run("a")
    for tag in ("w:tab", "w:br", "w:noBreakHyphen"):
        run._r.append(OxmlElement(tag))
    run._r.append(text := OxmlElement("w:t"))
    text.text = "b"
    text.set(qn("xml:space"), "preserve")
    assert read("a.docx", saved(document)).text == "a\t\n-b"


def saved(document: docx.document.Document) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


# --- Tables -----------------------------------------------------------------------------------


def test_a_row_of_a_workbook_names_its_columns(read: Reader) -> None:
    rows = [("Item", "Price", "Since"), ("Lamp", 0.1 + 0.2, dt.date(2026, 1, 2)), ("Bulb", None, None), (None,) * 3]
    extracted = read("a.xlsx", files.excel(Prices=rows, Empty=[], Notes=[("A title",), (1, 2), (3, True)]))
    assert extracted.text == (
        "Prices\n\nItem: Lamp | Price: 0.3 | Since: 2026-01-02\nItem: Bulb\n\nNotes\n\nA title\n1 | 2\n3 | True"
    )
    assert outline(extracted) == [(1, "Prices"), (1, "Notes")]


def test_a_workbook_that_lies_about_its_size_is_read_whole(read: Reader) -> None:
    members = files.unzipped(files.excel(Prices=[("Item", "Price"), ("Lamp", 5)]))
    sheet = "xl/worksheets/sheet1.xml"
    members[sheet] = members[sheet].replace(b'<dimension ref="A1:B2"', b'<dimension ref="A1:A1"')
    assert read("a.xlsx", files.zipped(members)).text == "Prices\n\nItem: Lamp | Price: 5"


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.csv", 'item,note\r\nlamp,"old, and\r\nsold"\r\n', "item: lamp | note: old, and sold"),
        ("a.csv", "item;price\nlamp;1,5\n", "item: lamp | price: 1,5"),
        ("a.tsv", "item\tprice\nlamp\t5\n", "item: lamp | price: 5"),
        ("a.csv", "1,2\n3,4\n", "1 | 2\n3 | 4"),
        ("a.csv", "item,price\n", "item | price"),
        ("a.csv", "one column\nof text\n", "one column\nof text"),
        ("a.csv", 'item,note\nlamp,"never closed\n', "item: lamp | note: never closed"),
    ],
)
def test_separated_values_become_rows_that_name_their_columns(read: Reader, name: str, data: str, text: str) -> None:
    assert read(name, data).text == text


# --- JSON -------------------------------------------------------------------------------------


def test_json_becomes_lines_that_can_be_read(read: Reader) -> None:
    data = '{"name": "Lamp", "price": 1.50, "big": 123456789012345678901234567890, "tags": ["a", "b"], "none": null,'
    data += ' "parts": [{"id": 1, "ok": true}, {"id": 2, "ok": {}}]}'
    assert read("a.json", data).text == (
        "name: Lamp\nprice: 1.50\nbig: 123456789012345678901234567890\ntags:\n  - a\n  - b\nnone: null\nparts:\n"
        "  - id: 1\n    ok: true\n  - id: 2\n    ok: {}"
    )


def test_json_lines_are_read_line_by_line(read: Reader) -> None:
    assert read("a.jsonl", '{"a": 1}\n\n{"a": 2}\n').text == "a: 1\n\na: 2"
