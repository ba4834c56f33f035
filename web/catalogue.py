"""`python -m web.catalogue`: gathers the texts for people into the catalogues and compiles them.

Indonesian texts in the code are the message ids; each folder of `translations` holds another language. A new or
changed text comes in untranslated; nothing is guessed, and nothing that a translator hasn't said is shown.
English must be complete, the others needn't be: what they lack is said in Indonesian. See docs/terjemahan.md.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).parent.parent
TRANSLATIONS: Final = ROOT / "web" / "translations"
DOMAIN: Final = "lontar"
PACKAGES: Final = ("sync", "content_packs", "web", "node", "hub", "courier")
KEYWORDS: Final = {"_": None, "gettext": None, "N_": None, "ngettext": (1, 2)}
_METHODS: Final = [("**/templates/**.html", "jinja2.ext.babel_extract"), ("**.py", "python")]


class _Unsigned(Catalog):
    """Doesn't say which version of Babel wrote it, so that each version writes the same."""

    def _get_mime_headers(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in super()._get_mime_headers() if name != "Generated-By"]

    mime_headers = property(_get_mime_headers, Catalog._set_mime_headers)


def locales() -> list[str]:
    """Every language that has a folder."""
    return sorted(path.name for path in TRANSLATIONS.iterdir() if path.is_dir())


def catalogue_path(locale: str) -> Path:
    return TRANSLATIONS / locale / "LC_MESSAGES" / f"{DOMAIN}.po"


def extracted() -> Catalog:
    """Every text for people in the product, with the places where it stands."""
    catalogue = Catalog(project="Lontar", charset="utf-8", fuzzy=False)
    for package in PACKAGES:
        found = extract_from_dir(str(ROOT / package), method_map=_METHODS, keywords=KEYWORDS)
        for filename, _line, message, _comments, context in found:
            catalogue.add(message, locations=[(f"{package}/{filename}", 1)], context=context)
    found = extract_from_dir(str(ROOT), [("lontar.py", "python")], keywords=KEYWORDS)
    for filename, _line, message, _comments, context in found:
        if filename == "lontar.py":
            catalogue.add(message, locations=[(filename, 1)], context=context)
    return catalogue


def updated(locale: str) -> Catalog:
    """The catalogue of `locale` with exactly the texts of the code, translations kept where they still fit."""
    path = catalogue_path(locale)
    old = Catalog(locale=locale)
    if path.exists():
        with path.open("rb") as file:
            old = read_po(file, locale=locale)
    fresh = _Unsigned(
        locale=locale,
        project="Lontar",
        charset="utf-8",
        fuzzy=False,
        creation_date=old.creation_date,
        revision_date=old.revision_date,
        header_comment=old.header_comment,
        last_translator=old.last_translator,
        language_team=old.language_team,
    )
    # What Babel knows of a language's plurals changes with its version too.
    fresh.mime_headers = [("Plural-Forms", old.plural_forms)]
    for message in sorted((m for m in extracted() if m.id), key=lambda m: str(m.id)):
        known = old.get(message.id)
        string = known.string if known is not None else ""
        flags = message.flags | ({"fuzzy"} if known is not None and known.fuzzy else set())
        notes = known.user_comments if known is not None else []
        places = sorted({(name, 1) for name, _ in message.locations})
        fresh.add(message.id, string, locations=places, flags=flags, user_comments=notes)
    return fresh


def missing(catalogue: Catalog) -> list[str]:
    """The texts that are shown in Indonesian: without a translation, or with one that is marked as doubtful."""
    return [
        str(message.id) for message in catalogue if message.id and (not message.string or message.fuzzy)
    ]


def compiled(catalogue: Catalog) -> bytes:
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def written(catalogue: Catalog) -> bytes:
    out = io.BytesIO()
    write_po(out, catalogue, width=100, omit_header=False, include_lineno=False, sort_output=False)
    return out.getvalue()


def main() -> None:
    """Bring every language up to date; a name as argument begins a new one."""
    for locale in sorted({*locales(), *sys.argv[1:]}):
        path = catalogue_path(locale)
        path.parent.mkdir(parents=True, exist_ok=True)
        catalogue = updated(locale)
        path.write_bytes(written(catalogue))
        path.with_suffix(".mo").write_bytes(compiled(catalogue))
        lacking = missing(catalogue)
        sys.stdout.write(f"{locale}: {len(catalogue)} texts, {len(lacking)} without a translation\n")


if __name__ == "__main__":
    main()
