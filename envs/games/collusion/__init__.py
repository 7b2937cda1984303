"""Games in which agents may collude against somebody outside the game."""
