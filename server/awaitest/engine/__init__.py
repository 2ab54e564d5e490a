"""Reads a test the way Python runs it: kinds of values, states of clients, the walk and its steps. Pure."""
