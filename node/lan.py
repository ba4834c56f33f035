"""Who a laptop is on its network: its addresses, and the tag that laptops of one village know each other by."""

from __future__ import annotations

import ipaddress
from typing import Final

from sync.keys import sha256

_HOTSPOTS: Final = ("192.168.137.1", "10.42.0.1")
"""What Windows and NetworkManager call the laptop whose hotspot is on."""


def village_tag(root: bytes, village: str) -> bytes:
    """What laptops of one village, of one centre, know each other by."""
    return sha256(b"lontar/village/1" + root + village.encode())[:8].hex().encode()


def own_addresses() -> list[str]:
    """The addresses under which others on a network may reach this laptop, the likeliest for a hotspot first."""
    from ifaddr import get_adapters

    found = {
        ipaddress.IPv4Address(ip.ip)
        for adapter in get_adapters()
        for ip in adapter.ips
        if isinstance(ip.ip, str)
    }
    near = [one for one in found if one.is_private and not one.is_loopback and not one.is_link_local]
    return [str(one) for one in sorted(near, key=lambda one: (str(one) not in _HOTSPOTS, one))]
