-- Work that is to outlive a restart, and dead letters: work that was given up, kept until an operator decides on it.
-- payload: a JSON object. tries: how many failed. died: unix second; null: it is to run.
CREATE TABLE job (
    id       text COLLATE "C" PRIMARY KEY,
    kind     text NOT NULL,
    priority bigint NOT NULL CHECK (priority BETWEEN 0 AND 3),
    payload  text NOT NULL,
    made     double precision NOT NULL,
    tries    bigint NOT NULL CHECK (tries >= 0),
    error    text NOT NULL,
    died     double precision
);
