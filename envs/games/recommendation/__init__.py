"""Games between a recommender and the users it may drive away."""
