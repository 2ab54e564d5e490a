"""Records what a test does while pytest runs it. Loaded into the user's own interpreter: standard library and pytest only."""
