"""Lessons' HTML: what is needed stays, what could act or lead away goes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content_packs.render import clean, inline, pictures, to_html, with_addresses

ACTIVE = re.compile(r"<(script|style|iframe|object|embed|form|input|svg|base|meta|link)\b|<[^>]*\son\w+=|javascript:", re.I)  # fmt: skip


def test_a_reading_keeps_its_headings_lists_tables_and_emphasis() -> None:
    html = to_html("## Kas\n\n1. *satu*\n2. **dua**\n\n> kutipan\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    for kept in (
        "<h2>Kas</h2>",
        "<li><em>satu</em></li>",
        "<strong>dua</strong>",
        "<blockquote>",
        "<td>1</td>",
    ):
        assert kept in html


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ("a<script>alert(1)</script>b", "ab"),
        ("a<style>p{}</style>b", "ab"),
        ('<p onclick="x()">a</p>', "<p>a</p>"),
        ('<p style="position:fixed" class="x" id="y">a</p>', "<p>a</p>"),
        ('a<iframe src="https://a.id"></iframe>b', "ab"),
        ('<form action="/keluar"><input name="pin"></form>', ""),
        ('<svg onload="x()"><path/></svg>', ""),
        ('<object data="a"></object><embed src="a"><base href="//a.id"><meta http-equiv="refresh">', ""),
        ('<a href="javascript:x()">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="data:text/html,x">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="/keluar">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="//a.id/">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="http://a.id/">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="https://a.id/">a</a>', '<a href="https://a.id/" rel="noopener noreferrer">a</a>'),
        ('<img src="media:a.svg" alt="A" onerror="x()">', '<img src="media:a.svg" alt="A">'),
        ('<img src="https://a.id/a.png" alt="A">', '<img alt="A">'),
        ('<img src="media:../a.png" alt="A">', '<img alt="A">'),
        ('<img src="/keluar" alt="A">', '<img alt="A">'),
        ('<img src="data:image/svg+xml,x" alt="A">', '<img alt="A">'),
    ],
)  # fmt: skip
def test_what_could_act_or_lead_away_is_taken_out(html: str, left: str) -> None:
    assert clean(html) == left


def test_html_in_markdown_is_shown_as_text() -> None:
    assert to_html("<script>x()</script>") == "<p>&lt;script&gt;x()&lt;/script&gt;</p>\n"
    assert inline("<b onclick=x()>a</b>") == "&lt;b onclick=x()&gt;a&lt;/b&gt;"


def test_a_question_s_line_has_no_paragraph_around_it() -> None:
    assert inline("Berapa *hari*?") == "Berapa <em>hari</em>?"


FRAGMENTS = r"""< > " ' / = a &lt; <!-- --> <p> </p> media:a.svg javascript:x https://a.id //a.id <script> </script>
<svg <style> <iframe onerror=x onload=x <math> <table> <noscript> <template> ![ ]( ) [ ` | - # * \ &#106;"""
PIECES_OF_TEXT = st.sampled_from([*FRAGMENTS.split(), " ", "\n", "<a href=", "<img src="])


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES_OF_TEXT, max_size=14).map("".join))
def test_whatever_is_written_nothing_active_is_left(text: str) -> None:
    for html in (clean(text), to_html(text), inline(text)):
        tags = " ".join(re.findall(r"<[a-z][^>]*>", html))
        assert not ACTIVE.search(tags)
        for address in re.findall(r'(?:href|src)="([^"]*)"', tags):
            assert address.startswith(("https://", "media:"))


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES_OF_TEXT, max_size=14).map("".join))
def test_a_lesson_that_was_cleaned_once_stays_as_it_is(text: str) -> None:
    for html in (to_html(text), inline(text)):
        assert clean(html) == html


def test_pictures_get_their_addresses_when_a_page_is_shown() -> None:
    html = to_html("![Alur](alur.svg)")
    assert html == '<p><img src="media:alur.svg" alt="Alur"></p>\n'
    shown = with_addresses(html, lambda name: f"/pelatihan/0/media/{name}")
    assert shown == '<p><img src="/pelatihan/0/media/alur.svg" alt="Alur"></p>\n'


def test_only_pictures_get_addresses_not_texts_that_look_like_one() -> None:
    html = to_html('Tulis src="media:alur.svg" begitu.')
    assert with_addresses(html, lambda name: "/x") == html


def test_pictures_are_found_wherever_they_stand_with_their_alternative_texts() -> None:
    text = "![Satu](a.svg) ![][b]\n\n|![Dua](c.png)|\n|-|\n\n`![kode](d.svg)`\n\n[b]: b.svg\n"
    assert sorted(pictures(text)) == [("a.svg", "Satu"), ("b.svg", ""), ("c.png", "Dua")]
