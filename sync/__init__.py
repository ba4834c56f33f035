"""Signed append-only logs, and how two parties come to hold the same ones.

The pure part decides; the shells (`client`, `cli`, `machine`) do the input and output.
"""

__version__ = "0.1.0"
