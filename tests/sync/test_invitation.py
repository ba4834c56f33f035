"""What a centre hands to a village: one text, however people copy it; and the address that it signs for sticks."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import MalformedError, SignatureError, SyncError
from sync.invitation import TEXT_MOST, Invitation, read_invitation
from sync.keys import SigningKey
from sync.keyset import Keyset
from sync.registration import Code, read_code
from sync.sealing import CLASSICAL, SealingKey
from sync.signpost import open_address, sign_address

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE = read_code("7KQ2-M4TX-9RHB")
URL = "https://pusat.example.go.id"
HUB, STRANGER = SigningKey.from_seed(b"h" * 32), SigningKey.from_seed(b"s" * 32)

labels = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
hosts = (
    st.lists(labels, min_size=2, max_size=4).map(".".join) | st.just("localhost") | st.just("192.168.1.7")
)
addresses = st.builds(
    lambda scheme, host, port, path: f"{scheme}://{host}{port}{path}",
    st.sampled_from(["http", "https"]),
    hosts | labels,
    st.just("") | st.integers(1, 65535).map(lambda port: f":{port}"),
    st.sampled_from(["", "/lontar", "/a/b"]),
)
codes = st.builds(
    Code, st.text(ALPHABET, min_size=4, max_size=4), st.text(ALPHABET, min_size=8, max_size=8)
)


@given(addresses, st.none() | codes)
def test_what_is_written_is_read_again(url: str, code: Code | None) -> None:
    assert read_invitation(str(Invitation(url, code))) == Invitation(url, code)


@given(addresses, codes, st.sampled_from([" ", "\n", "#", " kode: ", "\nKode pendaftaran: ", ", "]))
def test_address_and_code_are_found_in_any_order_and_case(url: str, code: Code, between: str) -> None:
    expected = Invitation(url, code)
    assert read_invitation(f"  {url}{between}{code}\r\n") == expected
    assert read_invitation(f"{str(code).lower()} {url}") == expected


@given(st.text(max_size=80) | st.text("lontar:htps/.#-kode 17KQ", max_size=60))
def test_any_other_text_is_refused_in_one_sentence(text: str) -> None:
    with contextlib.suppress(MalformedError):
        assert read_invitation(text).hub_url.startswith(("http://", "https://"))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("lontar:https://pusat.example.go.id#7KQ2-M4TX-9RHB", Invitation(URL, CODE)),
        ("LONTAR:HTTPS://PUSAT.EXAMPLE.GO.ID#7KQ2M4TX9RHB", Invitation(URL, CODE)),
        ("pusat.example.go.id 7kq2 m4tx 9rhb", Invitation(URL, CODE)),
        ("Alamat pusat: pusat.example.go.id/ Kode: 7KQ2-M4TX-9RHB", Invitation(URL, CODE)),
        ("https://pusat.example.go.id/", Invitation(URL)),
        ("http://192.168.1.7:8000", Invitation("http://192.168.1.7:8000")),
        ("http://server-pmd:8000 7KQ2-M4TX-9RHB", Invitation("http://server-pmd:8000", CODE)),
    ],
)
def test_people_type_it_in_many_ways(typed: str, expected: Invitation) -> None:
    assert read_invitation(typed) == expected


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "Alamat pusat belum tertulis"),
        ("7KQ2-M4TX-9RHB", "Alamat pusat belum tertulis"),
        ("pusat.example.go.id 7KQ2", "harus 12 huruf"),
        ("pusat.example.go.id rahasia", "harus 12 huruf"),
        ("a.id " * TEXT_MOST, "terlalu panjang"),
    ],
)
def test_what_is_missing_or_wrong_is_named(typed: str, says: str) -> None:
    with pytest.raises(MalformedError, match=says):
        read_invitation(typed)


def keyset(hub: SigningKey) -> Keyset:
    return Keyset(1, STRANGER.public, (hub.public,), SealingKey(CLASSICAL, bytes(32)), ())


def test_an_address_on_a_stick_is_the_centre_s_own_word() -> None:
    assert open_address(sign_address(HUB, URL), keyset(HUB)) == URL


def test_an_address_that_somebody_else_wrote_is_refused() -> None:
    with pytest.raises(SignatureError):
        open_address(sign_address(STRANGER, "https://palsu.example"), keyset(HUB))


@pytest.mark.parametrize("data", [b"", b"https://palsu.example", sign_address(HUB, URL)[:-1]])
def test_a_damaged_address_is_refused(data: bytes) -> None:
    with pytest.raises(SyncError):
        open_address(data, keyset(HUB))
