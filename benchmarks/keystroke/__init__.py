"""How long a language server needs from a keystroke to the diagnostics of the new text, beside others in the same run."""
