"""Learners that see their own payoff alone."""
