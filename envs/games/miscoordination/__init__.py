"""Games in which agents with common interests may fail to coordinate."""
