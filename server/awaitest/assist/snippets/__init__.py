"""Snippets: read from one JSON file, fitted to the place and to the project."""
