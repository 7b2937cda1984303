"""Packaged real data, each file with its source and licence in README.md beside it."""
