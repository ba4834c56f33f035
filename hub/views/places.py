"""Addresses of things that have ids: hexadecimal in the address, bytes in the database."""

from __future__ import annotations

from flask import abort


def bytes_or_404(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        abort(404)
