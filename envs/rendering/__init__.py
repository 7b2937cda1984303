"""Text and pictures of any game, drawn from what a view knows. Pictures need the extra `render`."""
