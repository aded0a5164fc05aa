"""Conversations: their messages as a tree, and the turns that add to it."""
