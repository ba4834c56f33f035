"""All targets. A new module of them is imported here."""

from ..target import TARGETS
from . import planted, wire

__all__ = ["TARGETS", "planted", "wire"]
