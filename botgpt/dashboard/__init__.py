"""The admin's first page: what was asked and spent, how well it went, and what needs somebody's attention."""
