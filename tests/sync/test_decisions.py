"""What a hub can say, as entries of its logs."""

from __future__ import annotations

import dataclasses
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parcels import DEVICE, HUB

from sync import cose
from sync.decisions import FIRST_NUMBER, HUB_KINDS, HubLogOpened, read_decision, scopes_of
from sync.entries import KINDS, Entry, Kind, check_fields, field_types, read_kind, reference_count
from sync.errors import MalformedError, SignatureError
from sync.segment import open_segment, seal

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20).map(
    lambda text: unicodedata.normalize("NFC", text)
)
VALUES: dict[type, st.SearchStrategy[Any]] = {
    int: st.integers(-(1 << 63), (1 << 63) - 1),
    bytes: st.binary(max_size=64),
    str: TEXT,
    bool: st.booleans(),
}
kinds = st.sampled_from(sorted(HUB_KINDS.values(), key=lambda kind: kind.number))
said = kinds.flatmap(lambda kind: st.builds(kind, *(VALUES[type_] for type_ in field_types(kind).values())))


@settings(max_examples=60, deadline=None)
@given(st.lists(said, min_size=1, max_size=20))
def test_decisions_survive_a_hub_s_segment(decisions: list[Kind]) -> None:
    entries = [Entry(seq, kind.number, seq, kind.fields()) for seq, kind in enumerate(decisions)]
    sealed = open_segment(seal(HUB, b"", 0, b"", entries, 0, cose.HUB_SEGMENT).data)
    sealed.verify_hub([DEVICE.public, HUB.public])
    assert [read_decision(entry) for entry in sealed.read().entries()] == decisions


def test_a_device_s_segment_speaks_for_no_hub_and_the_other_way_round() -> None:
    entries = [Entry(0, HubLogOpened.number, 0, HubLogOpened(1, "", bytes(16), 5, 0).fields())]
    of_device, of_hub = (
        seal(HUB, b"", 0, b"", entries, 0, purpose) for purpose in (cose.SEGMENT, cose.HUB_SEGMENT)
    )
    with pytest.raises(SignatureError):
        of_device.verify_hub([HUB.public])
    with pytest.raises(SignatureError):
        of_hub.verify(HUB.public)
    with pytest.raises(SignatureError):
        of_hub.verify_hub([DEVICE.public])
    with pytest.raises(SignatureError):
        of_hub.verify_hub([])


def test_hub_kinds_name_no_learner_of_a_log_and_are_kept_apart_from_devices() -> None:
    for number, kind in HUB_KINDS.items():
        assert number == kind.number >= FIRST_NUMBER
        assert reference_count(number) == 0
        assert number not in KINDS
        assert read_kind(Entry(0, number, 0, ())) is None
    assert len({kind.__name__ for kind in HUB_KINDS.values()}) == len(HUB_KINDS)


def test_kinds_of_tomorrow_and_of_devices_decide_nothing() -> None:
    for number in [*KINDS, 132, 4000]:
        assert read_decision(Entry(0, number, 0, ())) is None


@pytest.mark.parametrize("kind", HUB_KINDS.values(), ids=lambda kind: kind.__name__)
def test_fields_of_tomorrow_are_ignored_and_wrong_ones_refused(kind: type[Kind]) -> None:
    right = tuple(type_() for type_ in field_types(kind).values())
    check_fields(kind.number, right)
    assert read_decision(Entry(0, kind.number, 0, (*right, "nanti", 7))) == kind(*right)
    with pytest.raises(MalformedError):
        read_decision(Entry(0, kind.number, 0, (True, *right[1:])))
    if len(dataclasses.fields(kind)) > 1:  # type: ignore[arg-type]
        with pytest.raises(MalformedError):
            read_decision(Entry(0, kind.number, 0, right[:1]))


@pytest.mark.parametrize(
    ("village", "scopes"),
    [
        ("17.05.10.2007", ("", "17", "17.05", "17.05.10", "17.05.10.2007")),
        ("17.05", ("", "17", "17.05")),
        ("17", ("", "17")),
    ],
)
def test_a_village_lies_in_the_scopes_above_it(village: str, scopes: tuple[str, ...]) -> None:
    assert scopes_of(village) == scopes
