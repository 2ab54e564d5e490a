"""One file per rule; nothing else lives here."""
