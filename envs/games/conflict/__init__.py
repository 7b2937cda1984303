"""Games in which agents gain at others' cost, and all lose by it."""
