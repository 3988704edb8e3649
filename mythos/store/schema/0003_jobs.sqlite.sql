-- Work that is to outlive a restart, and dead letters: work that was given up, kept until an operator decides on it.
-- payload: a JSON object. tries: how many failed. died: unix second; null: it is to run.
CREATE TABLE job (
    id       TEXT PRIMARY KEY,
    kind     TEXT NOT NULL,
    priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 3),
    payload  TEXT NOT NULL,
    made     REAL NOT NULL,
    tries    INTEGER NOT NULL CHECK (tries >= 0),
    error    TEXT NOT NULL,
    died     REAL
) STRICT, WITHOUT ROWID;
