"""A world that tries to break the promises: the real node, hub and stick under faults that a seed chooses."""
