"""`lontar pack preview`: a course in the browser, as a learner in a village sees it.

A whole node in a temporary folder, with one learner who is already at the table. Opening the first page again builds the
folder again, so an author writes, saves and reloads. Nothing of it stays.
"""

from __future__ import annotations

import contextlib
import secrets
import tempfile
import webbrowser
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from content_packs.errors import PackError
from sync.cli_errors import speak_errors
from sync.errors import N_, LontarError

if TYPE_CHECKING:
    from flask import Flask

    from content_packs.manifest import Manifest
    from node.wiring import Node

_NOWHERE: Final = "http://localhost:9"
_VILLAGE: Final = "00.00.00.0000"


@click.command(help=_("Melihat folder pelatihan atau paket di peramban, seperti peserta melihatnya."))
@click.argument("source", metavar="FOLDER", type=click.Path(path_type=Path, exists=True))
@click.option("--port", default=0, type=click.IntRange(0, 65535), help=_("0: port kosong mana saja."))
@click.option("--browser/--no-browser", default=True, help=_("Buka peramban sendiri."))
@click.option(
    "--players",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help=_("Paket pemutar, bila ada materi SCORM atau H5P (lihat: lontar pack players)."),
)
@speak_errors
def preview(source: Path, port: int, browser: bool, players: Path | None) -> None:
    from node.serving import Served

    with tempfile.TemporaryDirectory(prefix="lontar-pratinjau-") as folder:
        node = made_node(Path(folder))
        with contextlib.closing(node):
            if players is not None:
                install(node, players)
            manifest = install(node, source)
            key = secrets.token_urlsafe(16)
            try:
                server = Served(create_app(node, source, key), "127.0.0.1", port, 0)
            except OSError as problem:
                raise PackError(
                    N_("Port %(port)s sedang dipakai program lain. Pilih --port lain."), port=port
                ) from problem
            address = f"http://127.0.0.1:{server.port}/pratinjau/{key}"
            click.echo(
                _("%(title)s versi %(version)s: %(address)s (Ctrl-C untuk berhenti)")
                % {"title": manifest.title, "version": manifest.version, "address": address}
            )
            if source.is_dir():
                click.echo(_("Sudah mengubah isinya? Buka lagi alamat itu."))
            if browser:
                webbrowser.open(address)
            with contextlib.suppress(KeyboardInterrupt):
                server.run()
            server.close()


def install(node: Node, source: Path) -> Manifest:
    """Install what is looked at: a folder is built first, with a key that nobody has.

    Raises:
        PackError: the folder must be mended first, or the file is no pack.
    """
    from content_packs.build import build_pack
    from content_packs.verify import open_pack
    from sync.keys import SigningKey

    with contextlib.ExitStack() as stack:
        if source.is_dir():
            built = build_pack(source, SigningKey.generate(secrets.token_bytes))
            path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "paket.lontar"
            with path.open("wb") as file:
                built.write(file)
        else:
            path = source
        # An author looks at anything; nobody learns from it here.
        installed = node.packs.install(stack.enter_context(open_pack(path, lambda key: True)))
    manifest = installed.manifest
    number = node.recorder.install_pack(manifest.course_key, installed.manifest_hash, manifest.version)
    # Who undoes a change comes back to what was installed before.
    for version in node.learning.versions()[0]:
        node.learning.hide(version.pack, is_hidden=version.pack != number)
    return manifest


def create_app(node: Node, source: Path, key: str) -> Flask:
    """The pages of the node, and one that only who started it knows, which logs in and begins."""
    from flask import abort, flash, redirect, url_for
    from flask.typing import ResponseReturnValue

    from node.app import create_app as pages_of
    from node.desk import begin_sitting
    from web.languages import gettext

    app = pages_of(node)
    learner = node.recorder.add_learner(_("Pratinjau"))

    def begin(given: str) -> ResponseReturnValue:
        if not secrets.compare_digest(given, key):
            abort(404)
        begin_sitting(learner)
        try:
            install(node, source)
        except LontarError as problem:
            # What was there before can still be looked at.
            flash(problem.sentence(gettext), "bad")
        (course, *_rest) = node.learning.courses(learner)
        return redirect(url_for("learn.course", pack=course.pack))

    app.add_url_rule("/pratinjau/<given>", "preview", begin)
    return app


def made_node(folder: Path) -> Node:
    from node import config
    from node.wiring import open_node

    names = ("device", "sealing", "pepper", "session")
    settings = config.Settings(_NOWHERE, _VILLAGE, _("Pratinjau"))
    config.create(folder / "node", settings, {name: secrets.token_bytes(32) for name in names})
    return open_node(folder / "node", environment={"LONTAR_STATE": str(folder / "state")})
