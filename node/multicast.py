"""Finds laptops of the same village on this network by multicast DNS (RFC 6762), and lets itself be found.

What is told to everybody on the network is only a port and a tag that means something to those who know the village's
centre. Where multicast doesn't pass, an address can be typed. Imported only by a laptop that knows its
centre: zeroconf brings asyncio and holds 5 MB.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from zeroconf import Error, IPVersion, ServiceBrowser, ServiceInfo, ServiceStateChange, Zeroconf

_SERVICE: Final = "_lontar._tcp.local."
_TAG: Final = b"tag"
_NO_MULTICAST: Final = (OSError, TimeoutError, Error)
"""What a network that forbids multicast, or is too slow for it, ends in."""


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


def _own_address() -> str:
    """The address by which this machine is reached on its network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 1))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
