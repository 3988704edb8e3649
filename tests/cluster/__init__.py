"""Redis: connections, limits and what servers keep for each other."""
