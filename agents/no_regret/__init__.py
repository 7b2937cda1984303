"""Learners with full feedback: each period they see what every own action would have paid."""
