"""Learners that climb the gradient of their own return."""
