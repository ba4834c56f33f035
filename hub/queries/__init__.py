"""What the pages read: SQL for SQLite and PostgreSQL alike, a fixed number of statements a page.

Nothing here writes. What operators count as a region's is what its registered devices sent.
"""
