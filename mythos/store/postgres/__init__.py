"""PostgreSQL: the same ports as SQLite, over connections that come back by themselves."""
