"""The village laptop: people learn, every answer is on the disk at once, and goes out when it can."""
