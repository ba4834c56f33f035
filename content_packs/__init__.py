"""Courses as signed packs: built from a folder, verified, installed, read."""
