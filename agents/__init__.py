"""Policies and learners for one seat of any game."""
