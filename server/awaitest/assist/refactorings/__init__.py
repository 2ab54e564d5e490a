"""One refactoring a module: `offer(runs, span)` gives its edits, or None where it does not fit."""
