"""Measures the search on collections of questions whose answers are known, through the real pipeline."""
