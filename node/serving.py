"""Serves a village: its pages on one port, and on another what activities need to be played apart from them."""

from __future__ import annotations

import threading
from typing import Any, Final

import waitress
from flask import Flask

from node.desk import desk_of
from node.outcomes import BODY_MOST
from node.player_app import create_player_app
from sync.limits import NEIGHBOUR_BODY

_THREADS: Final = 8
_PLAYER_THREADS: Final = 4
# What is larger is refused before it fills the disk; waitress alone would take a gigabyte.
_PAGES_BODY_MOST: Final = NEIGHBOUR_BODY + 64 * 1024
_HEADERS_MOST: Final = 1024 * 1024
"""More than all cookies that a browser keeps of a host: activities can set some, and must lock nobody out."""


class Served:
    """Both servers. If the player's port is taken, the pages are served all the same, and say so."""

    def __init__(self, pages: Flask, host: str, port: int, player_port: int) -> None:
        """
        Raises:
            OSError: the pages' port is taken.
        """
        self._pages = waitress.create_server(
            pages,
            host=host,
            port=port,
            threads=_THREADS,
            max_request_body_size=_PAGES_BODY_MOST,
            max_request_header_size=_HEADERS_MOST,
        )
        self.port: int = self._pages.effective_port
        self._player = self._made_player(pages, host, player_port)
        self.plays = self._player is not None

    def run(self) -> None:
        """Serve until closed."""
        if self._player is not None:
            threading.Thread(target=self._player.run, name="lontar-player", daemon=True).start()
        self._pages.run()

    def close(self) -> None:
        for server in (self._player, self._pages):
            if server is not None:
                server.close()

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
            )
        except (OSError, OverflowError):
            return None
        player.config["PAGES_PORT"] = self.port
        pages.config["PLAYER_PORT"] = server.effective_port
        return server
