"""Targets, by the kind of bytes they are given. `tests.fuzz.everything` knows them all."""
