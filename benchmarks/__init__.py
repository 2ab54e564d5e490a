"""What awaitest finds, how fast, and beside whom. Run as `python -m benchmarks.NAME`."""
