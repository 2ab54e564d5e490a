"""Runs tests in the user's own interpreter and tells what they did, step by step."""
