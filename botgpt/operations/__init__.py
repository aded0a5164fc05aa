"""Running it: request ids, logs, health, and the command that serves."""
