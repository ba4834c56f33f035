"""Importers: one file a format, each from a foreign file to a `draft.Draft` with a report."""
