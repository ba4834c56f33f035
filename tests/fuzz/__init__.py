"""Fuzzing of every parser that meets foreign bytes; docs/fuzzing.md says how to run it."""
