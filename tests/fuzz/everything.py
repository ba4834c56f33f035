"""All targets. A new module of them is imported here."""

from .target import TARGETS
from .targets import foreign, lists, packs, planted, wire

__all__ = ["TARGETS", "foreign", "lists", "packs", "planted", "wire"]
