"""Runs the examples of every rule under a real pytest: does what the page says happen?"""
