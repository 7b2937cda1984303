"""Algorithms of leaders, and of those who would be led: commitments, schedules, forecasts."""
