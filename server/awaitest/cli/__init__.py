"""The command line: check, rule, config, explain."""
