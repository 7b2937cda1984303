"""Wrappers that measure and change no trajectory, for Gymnasium and PettingZoo."""
