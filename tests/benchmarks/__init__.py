"""Benchmarks of retrieval and indexing: `make bench-retrieval`. docs/benchmarks.md says what they measure."""
