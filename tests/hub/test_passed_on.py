"""What a hub above is taken to lack, by its answers about heads."""

from __future__ import annotations

import pytest

from hub.passed_on import lacking
from sync.exchange import Verdict
from sync.log import NOTHING, Head, Status

LOG = b"l" * 16
ASKED = Head(LOG, 5, b"i" * 16)


@pytest.mark.parametrize(
    ("index", "status", "is_lost"),
    [
        (5, Status.STORED, False),
        (9, Status.BEHIND, False),
        (4, Status.STORED, True),
        (NOTHING, Status.STORED, True),
        (NOTHING, Status.FORK, True),
        (NOTHING, Status.REVOKED, False),
        (NOTHING, Status.UNKNOWN_DEVICE, False),
        (NOTHING, Status.TRY_LATER, False),
    ],
)
def test_only_a_hub_that_speaks_of_a_head_can_have_lost_it(
    index: int, status: Status, is_lost: bool
) -> None:
    """One that doesn't believe this hub any more would else be sent everything at each contact."""
    assert bool(lacking([ASKED], [Verdict(Head(LOG[:8], index, b""), status)])) is is_lost


def test_two_branches_of_one_log_are_told_apart() -> None:
    other = Head(LOG, 3, b"o" * 16)
    said = [
        Verdict(Head(LOG[:8], NOTHING, b""), Status.STORED),
        Verdict(Head(LOG[:8], 3, b"o" * 8), Status.STORED),
    ]
    assert lacking([ASKED, other], said) == [ASKED]
