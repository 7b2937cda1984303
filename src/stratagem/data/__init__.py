"""Packaged data, each file with its source and licence in SOURCES.md beside it."""
