"""HTML of a foreign course: its own files get their names, what a village can't have goes and is counted."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_packs import render
from content_packs.importers.draft import Report
from content_packs.importers.media_files import Media, SourceFile
from content_packs.importers.relink import HTML_MOST, relinked
from content_packs.importers.tally import Tally


def find(address: str) -> SourceFile | None:
    """Files of the course stand under `own/`; those that begin with `x` aren't there."""
    name = address.removeprefix("own/")
    if name == address:
        return None
    return SourceFile(name, name, None if name.startswith("x") else lambda: name.encode())


def made(html: str) -> tuple[str, list[str], Report]:
    """What became of it, the files that it shows, and the report."""
    tally = Tally()
    media = Media(tally)
    return relinked(html, find, media, tally), list(media.files), tally.report()


@pytest.mark.parametrize(
    ("html", "becomes", "files"),
    [
        (
            '<img src="own/A b.PNG" alt="<a>" width=3>',
            '<img src="media:a-b.png" alt="&lt;a&gt;">',
            ["a-b.png"],
        ),
        ("<video src='own/k.mp4' title=Kas>lama</video>", '<img src="media:k.mp4" alt="Kas">', ["k.mp4"]),
        (
            "<audio><source src='own/xa.mp3'><source src='own/b.ogg'></audio>",
            '<img src="media:b.ogg" alt="">',
            ["b.ogg"],
        ),
        (
            '<a href="own/n.pdf">Naskah "A"</a>',
            '<img src="media:n.pdf" alt="Naskah &quot;A&quot;">',
            ["n.pdf"],
        ),
        (
            '<a href="own/b.png"><img src="own/k.png" alt="k"></a>',
            '<img src="media:k.png" alt="k"><img src="media:b.png" alt="b.png">',
            ["b.png", "k.png"],
        ),
        ('<a href="https://a.b/?x=1&amp;y=2">ya</a>', '<a href="https://a.b/?x=1&amp;y=2">ya</a>', []),
        ('<a href="#bawah">turun</a>', "turun", []),
        (
            '<img src="data:image/png;base64,AAAA" alt="x">',
            '<img src="media:gambar.png" alt="x">',
            ["gambar.png"],
        ),
    ],
)
def test_files_of_the_course_get_their_names(html: str, becomes: str, files: list[str]) -> None:
    assert made(html)[:2] == (becomes, files)


@pytest.mark.parametrize(
    ("html", "becomes", "sentence"),
    [
        ("a<script>b</script>c", "ac", "Skrip"),
        ('<img src="http://a.b/c.png" alt="peta">', "peta", "hanya ada di internet"),
        ('<video src="https://a.b/c.mp4"></video>', "", "hanya ada di internet"),
        ('<a href="mailto:a@b.c">surat</a>', "surat", "bukan https"),
        ('<a href="javascript:x">klik</a>', "klik", "bukan https"),
        ("<form>Nama <input><button>Kirim</button></form>", "Nama", "formulir"),
        ('<iframe src="http://a.b"></iframe>a', "a", "iframe"),
        ("<object data='x.swf'><embed src='x.swf'></object>a", "a", "object"),
        ("<svg><text>b</text></svg>a", "a", "SVG"),
        ("<a href='own/s.docx'>surat</a>", "surat", "jenis docx"),
        ("<img src='own/x.png' alt='hilang'>", "hilang", "tidak ada dalam sumbernya"),
        ("a" * (HTML_MOST + 1), "", "1 MiB"),
    ],
)
def test_what_can_t_come_is_named_and_its_words_stay(html: str, becomes: str, sentence: str) -> None:
    found, files, report = made(html)
    assert (found, files) == (becomes, [])
    assert len(report.left_out) == 1
    assert sentence in report.left_out[0]


def test_what_was_built_in_becomes_a_link() -> None:
    found, _files, report = made('<iframe src="https://www.youtube.com/embed/x" title="Video"></iframe>')
    assert found == '<a href="https://www.youtube.com/embed/x">Video</a>'
    assert report.changed == ["Sisipan dari situs lain yang menjadi tautan: 1."]


def test_lines_that_only_a_style_kept_apart_stay_apart() -> None:
    assert made("<div>satu</div><div class=x>dua<div>tiga</div></div>")[0] == "satu<br>dua<br>tiga"
    assert made("<div><p>satu</p></div><div><p>dua</p></div>")[0] == "<p>satu</p><p>dua</p>"


def test_a_text_with_a_formula_is_named_as_changed() -> None:
    assert made(r"<p>\(x^2\)</p>")[2].changed == [
        "Teks dengan rumus (TeX, MathML) yang tampil sebagai tulisan biasa: 1."
    ]


def test_comments_never_hide_what_follows_nor_show_what_they_held() -> None:
    assert made("a<!-- <b>x</b> -->b<![endif]>c<!-- d")[0] == "a b c"


MARKS: Final = (
    "<a href=own/a.png> </a> <video> </video> <source\nsrc=own/a.mp4> <div> </div> <p> <svg> <script> </script> <td/>"
    ' <img\nsrc=own/b.png> <!-- --> < > & " = </ teks'
)
parts = st.sampled_from(MARKS.split(" "))


@given(st.lists(parts | st.text(max_size=5), max_size=40).map("".join))
def test_any_html_is_made_into_html_that_stays_as_it_is_when_cleaned_twice(html: str) -> None:
    found, files, _report = made(html)
    cleaned = render.clean(found)
    assert render.clean(cleaned) == cleaned
    assert {name for name, _said in render.media_in(cleaned)} <= set(files)


@pytest.mark.parametrize("piece", ["<a ", "<", "</", "<a href='", "<!--", "<div>", "<svg>", "&#", "<a/"])
def test_endless_beginnings_have_an_end(piece: str) -> None:
    # html.parser alone would need hours for some of them.
    made(piece * (HTML_MOST // 8 // len(piece)))
