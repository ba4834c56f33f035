"""What a centre hands to a village that is to register: its address and the registration code, in one text.

The text stands in square codes and can be pasted: `lontar:https://pusat.example.go.id#7KQ2-M4TX-9RHB`. People type
it in many ways (an address without https, the word "kode", a space or a new line between the two); all of them are
read here and nowhere else. Whether there is a centre at that address and whether it knows the code shows later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sync.errors import N_, MalformedError
from sync.registration import Code, read_code

SCHEME: Final = "lontar:"
TEXT_MOST: Final = 600
_ADDRESS: Final = re.compile(
    r"""(?P<scheme>https?://)?
        (?P<host>\[[0-9a-f:.]+\] | localhost | (?:[a-z0-9-]+\.)+[a-z0-9-]+ | (?<=://)[a-z0-9-]+)
        (?P<port>:\d{1,5})?
        (?P<path>(?:/[\w.~%-]+)*)/?""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)
_SAID_ALONG: Final = re.compile(
    r"\b(alamat|pusat|kode|code|pendaftaran|registrasi|dan)\b|[#:;,=|()\"'“”]", re.I
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """Where the centre is, and the code if there is one."""

    hub_url: str
    code: Code | None = None

    def __str__(self) -> str:
        return f"{SCHEME}{self.hub_url}" + (f"#{self.code}" if self.code else "")


def read_invitation(text: str) -> Invitation:
    """What people typed, pasted or scanned. An address without a scheme is taken to be https.

    Raises:
        MalformedError: there is no address in it, or what stands beside the address is no code.
    """
    plain = text.strip()
    if len(plain) > TEXT_MOST:
        raise MalformedError(N_("Isian ini terlalu panjang. Tulis alamat pusat dan kode pendaftaran saja."))
    if plain.casefold().startswith(SCHEME):
        plain = plain[len(SCHEME) :]
    found = _ADDRESS.search(plain)
    if found is None:
        raise MalformedError(
            N_("Alamat pusat belum tertulis. Contoh yang benar: https://pusat.example.go.id 7KQ2-M4TX-9RHB")
        )
    rest = _SAID_ALONG.sub(" ", plain[: found.start()] + " " + plain[found.end() :]).strip()
    url = f"{(found['scheme'] or 'https://').lower()}{found['host'].lower()}{found['port'] or ''}{found['path']}"
    return Invitation(url, read_code(rest) if rest else None)
