"""Games in which agents know different things about the payoffs."""
