"""Algorithms of stable-baselines3 and sb3-contrib; needs the extra `sb3` once one is built."""
