"""Learners that see what a play cost only at times."""
