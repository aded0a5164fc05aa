"""How moments and numbers are written, by language."""
