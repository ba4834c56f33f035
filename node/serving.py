"""Serves a village: its pages on one port, and on another what activities need to be played apart from them.

What is behind the first port can change while it is open: the wizard of the first day gives way to the pages it made.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import waitress
from flask import Flask

from node.desk import desk_of
from node.outcomes import BODY_MOST
from node.player_app import create_player_app
from node.views.large_forms import PHOTO_MOST
from sync.limits import NEIGHBOUR_BODY
from web.passwords import give_memory_back

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_THREADS: Final = 8
_PLAYER_THREADS: Final = 4
# What is larger is refused before it fills the disk; waitress alone would take a gigabyte.
_PAGES_BODY_MOST: Final = max(NEIGHBOUR_BODY, PHOTO_MOST) + 64 * 1024
_HEADERS_MOST: Final = 1024 * 1024
"""More than all cookies that a browser keeps of a host: activities can set some, and must lock nobody out."""
_CONNECTIONS_MOST: Final = 400
"""waitress alone lets in 100, so one phone that sends drop by drop could lock out a village; Windows can watch 512."""


class Door:
    """What stands at the port: it leads to one application after the other."""

    def __init__(self, leads_to: Flask) -> None:
        self.leads_to = leads_to

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self.leads_to(environ, start_response)


class Served:
    """Both servers. If the player's port is taken, the pages are served all the same, and say so."""

    def __init__(
        self,
        pages: Flask,
        host: str,
        port: int,
        player_port: int | None,
        body_most: int = _PAGES_BODY_MOST,
    ) -> None:
        """
        `player_port` is None for pages that play nothing; `body_most` bounds what a form may bring.

        Raises:
            OSError: the pages' port is taken.
        """
        self._host = host
        self._door = Door(pages)
        self._pages = waitress.create_server(
            self._door,
            host=host,
            port=port,
            threads=_THREADS,
            max_request_body_size=body_most,
            max_request_header_size=_HEADERS_MOST,
            connection_limit=_CONNECTIONS_MOST,
        )
        self._closing = False
        self.port = int(self._pages.effective_port)
        self.player_port = player_port
        self._player = None if player_port is None else self._made_player(pages, host, player_port)
        self.plays = self._player is not None

    def become(self, pages: Flask, player_port: int) -> None:
        """Serve these pages from now on, and what they play."""
        self.player_port = player_port
        self._player = self._made_player(pages, self._host, player_port)
        self.plays = self._player is not None
        if self._player is not None:
            self._start(self._player)
        self._door.leads_to = pages

    def run(self) -> None:
        """Serve until closed."""
        give_memory_back()
        if self._player is not None:
            self._start(self._player)
        self._pages.run()

    def close(self) -> None:
        self._closing = True
        for server in (self._player, self._pages):
            if server is not None:
                server.close()

    def _start(self, player: Any) -> None:
        threading.Thread(target=self._play, args=(player,), name="lontar-player", daemon=True).start()

    def _play(self, player: Any) -> None:
        try:
            player.run()
        except OSError:
            # Its sockets are closed under it when the laptop stops; at any other time that is a surprise.
            if not self._closing:
                raise

    def _made_player(self, pages: Flask, host: str, port: int) -> Any:
        player = create_player_app(desk_of(pages))
        try:
            server = waitress.create_server(
                player,
                host=host,
                port=port,
                threads=_PLAYER_THREADS,
                max_request_body_size=2 * BODY_MOST,
                max_request_header_size=_HEADERS_MOST,
                connection_limit=_CONNECTIONS_MOST,
            )
        except (OSError, OverflowError):
            return None
        player.config["PAGES_PORT"] = self.port
        pages.config["PLAYER_PORT"] = server.effective_port
        return server
