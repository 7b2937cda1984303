"""Learners that keep a table of their own observations and actions."""
