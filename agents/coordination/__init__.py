"""Agents made to play with partners they have never met."""
