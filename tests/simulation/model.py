"""What people were told, as plain sets. An answer is known by its number, which stands in its seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulation.rogue import Rogue


@dataclass
class Model:
    """Knows nothing of logs, segments or receipts."""

    told_saved: set[int] = field(default_factory=set)
    perhaps: set[int] = field(default_factory=set)
    """Being saved when something failed: may be there or not."""
    told_confirmed: set[int] = field(default_factory=set)
    erased: set[bytes] = field(default_factory=set)
    """Commitments of people whose data must be nowhere."""
    revoked: dict[bytes, int] = field(default_factory=dict)
    """Devices that are not to be believed, and since when by the hub's clock."""
    rogues: list[Rogue] = field(default_factory=list)
    """Devices that lie. What they say of themselves may be anywhere."""
    next_number: int = 1

    def allowed(self) -> set[int]:
        """Nothing else may be anywhere."""
        return self.told_saved | self.perhaps

    def hub_lost(self, lost: set[int]) -> None:
        """The hub's disk was put back: who has these must bring them again before they are safe."""
        self.told_confirmed -= lost
