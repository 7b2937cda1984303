"""Solvers of normal-form, repeated and Markov games; they know no game by name."""
