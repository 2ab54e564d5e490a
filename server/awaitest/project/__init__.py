"""What surrounds a test: pytest's configuration, installed versions, modules and their imports. Reads, never executes."""
