"""Providers of language models, and the wrappers that retry, fall back and record; see `registry` for the chain."""
