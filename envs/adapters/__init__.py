"""Views of a game for the interfaces of Gymnasium, PettingZoo and stable-baselines3."""
