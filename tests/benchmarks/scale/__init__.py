"""`make bench-scale`: every endpoint and admin page on a large database beside an empty one, and deleting from it."""
