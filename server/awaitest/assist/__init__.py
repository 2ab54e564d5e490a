"""What editors offer beside diagnostics: pure functions over the engine."""
