"""Which machines this hub may speak to because somebody wrote their name into a form: never those inside its own network.

A name is resolved once, every address that it has is looked at, and the connection goes to one that was looked at; a
name that means another address a moment later opens nothing (DNS rebinding). Source: OWASP, Server-Side Request Forgery
Prevention Cheat Sheet.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from typing import ClassVar, Final

from hub.errors import HubError
from sync.errors import N_

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_CARRIES_IPV4: Final = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
"""Addresses under which a translator reaches IPv4 ones."""


class ForbiddenAddressError(HubError):
    """A name that means a machine inside, or none."""

    code: ClassVar[str] = "forbidden-address"


def networks(text: str) -> tuple[Network, ...]:
    """The networks of a setting, space between.

    Raises:
        HubError: it holds something else.
    """
    try:
        return tuple(ipaddress.ip_network(word) for word in text.split())
    except ValueError as problem:
        raise HubError(
            N_("Pengaturan webhook_networks berisi jaringan seperti 10.20.0.0/16, dipisah spasi.")
        ) from problem


def resolve(host: str, port: int, allowed: Sequence[Network] = ()) -> str:
    """An address of `host`, all of whose addresses are public ones or in a network that is allowed.

    Raises:
        ForbiddenAddressError: one isn't, or there is none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise ForbiddenAddressError(N_("Server itu tidak ditemukan.")) from problem
    texts = [str(where[0]) for *_rest, where in found]
    if not texts or not all(is_allowed(ipaddress.ip_address(text), allowed) for text in texts):
        raise ForbiddenAddressError(
            N_("Server itu berada di jaringan dalam; pusat tidak mengirim ke sana.")
        )
    return texts[0]


def is_allowed(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether it is a public address of one machine, or in a network that is allowed."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_allowed(address.ipv4_mapped, allowed)
        if address.sixtofour is not None or address.teredo is not None:
            return False
        if any(address in network for network in _CARRIES_IPV4) or address.scope_id is not None:
            return False
    if any(address.version == network.version and address in network for network in allowed):
        return True
    return address.is_global and not address.is_multicast and not address.is_reserved
