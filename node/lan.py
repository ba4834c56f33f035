"""Finds laptops of the same village on this network by multicast DNS (RFC 6762), and lets itself be found.

What is told to everybody on the network is only a port and a tag that means something to those who know the village's
centre. Where multicast doesn't pass, an address can be typed.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from zeroconf import Error, IPVersion, ServiceBrowser, ServiceInfo, ServiceStateChange, Zeroconf

from sync.keys import sha256

_SERVICE: Final = "_lontar._tcp.local."
_TAG: Final = b"tag"
_HOTSPOTS: Final = ("192.168.137.1", "10.42.0.1")
"""What Windows and NetworkManager call the laptop whose hotspot is on."""
_NO_MULTICAST: Final = (OSError, TimeoutError, Error)
"""What a network that forbids multicast, or is too slow for it, ends in."""


def village_tag(root: bytes, village: str) -> bytes:
    """What laptops of one village, of one centre, know each other by."""
    return sha256(b"lontar/village/1" + root + village.encode())[:8].hex().encode()


@contextmanager
def found_by_neighbours(tag: bytes, name: str, port: int, address: str | None = None) -> Iterator[None]:
    """Let others find this laptop while the block runs; a network that forbids it is no reason to stop."""
    info = ServiceInfo(
        _SERVICE,
        f"{name}.{_SERVICE}",
        addresses=[socket.inet_aton(address or _own_address())],
        port=port,
        properties={_TAG: tag},
    )
    service: Zeroconf | None = None
    with suppress(*_NO_MULTICAST):
        service = Zeroconf(ip_version=IPVersion.V4Only)
        service.register_service(info)
    try:
        yield
    finally:
        if service is not None:
            service.close()


def neighbours(tag: bytes, own_name: str, wait_s: float) -> list[str]:
    """Addresses of others with this tag, after listening for `wait_s` seconds."""
    try:
        service = Zeroconf(ip_version=IPVersion.V4Only)
    except _NO_MULTICAST:
        return []
    names: set[str] = set()

    def note(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if state_change is ServiceStateChange.Added:
            names.add(name)

    infos: list[ServiceInfo | None] = []
    try:
        browser = ServiceBrowser(service, _SERVICE, handlers=[note])
        browser.join(wait_s)
        with suppress(*_NO_MULTICAST):
            infos = [service.get_service_info(_SERVICE, name, timeout=1000) for name in sorted(names)]
    finally:
        service.close()
    return [
        f"http://{address}:{info.port}"
        for info in infos
        if info is not None and info.properties.get(_TAG) == tag and not info.name.startswith(own_name)
        for address in info.parsed_addresses()[:1]
    ]


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


def _own_address() -> str:
    """The address by which this machine is reached on its network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 1))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
