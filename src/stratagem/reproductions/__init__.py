"""Named experiments, each with what is expected of it; games and agents are named here."""
