-- The truth of a world. One item row has one place: it cannot be in two. Money and things are double entry.
-- All tables are STRICT: a sum beyond 2**63 would become REAL elsewhere and lose coins; here it is refused.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The newest batch of each incarnation of a server: a batch that comes twice is applied once.
CREATE TABLE batch (
    incarnation TEXT PRIMARY KEY,
    number      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- kind: i(tem) n(pc) c(haracter) d(oor) s(pawn). place: a room or another entity. rev rises with each write.
CREATE TABLE entity (
    id    TEXT PRIMARY KEY,
    kind  TEXT NOT NULL CHECK (kind IN ('i', 'n', 'c', 'd', 's')),
    proto TEXT NOT NULL,
    zone  TEXT,
    place TEXT NOT NULL,
    stack INTEGER NOT NULL CHECK (stack > 0),
    rev   INTEGER NOT NULL DEFAULT 1 CHECK (rev > 0),
    data  TEXT NOT NULL
) STRICT;
CREATE INDEX entity_place ON entity (place);

CREATE TABLE balance (
    holder TEXT NOT NULL,
    asset  TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    rev    INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (holder, asset)
) STRICT, WITHOUT ROWID;

-- asked: CRC-32 of the words of command c, which tells a command sent again from another under its number.
CREATE TABLE ledger (
    tx      INTEGER PRIMARY KEY,
    kind    TEXT NOT NULL,
    session TEXT,
    c       INTEGER,
    asked   INTEGER,
    at      REAL NOT NULL
) STRICT;
CREATE UNIQUE INDEX ledger_command ON ledger (session, c) WHERE session IS NOT NULL;

-- Without an index: it is only written, and read as a whole by fsck; each index would be pages more in every commit.
CREATE TABLE ledger_line (
    tx     INTEGER NOT NULL REFERENCES ledger (tx),
    holder TEXT NOT NULL,
    asset  TEXT NOT NULL,
    delta  INTEGER NOT NULL CHECK (delta <> 0)
) STRICT;

CREATE TABLE session (
    id        TEXT PRIMARY KEY,
    character TEXT NOT NULL,
    epoch     TEXT NOT NULL,
    head      INTEGER NOT NULL,
    floor     INTEGER NOT NULL,
    next_c    INTEGER NOT NULL,
    asked     TEXT NOT NULL,
    undone    TEXT NOT NULL,
    tokens    TEXT NOT NULL,
    cursors   TEXT NOT NULL,
    seen      REAL NOT NULL,
    log       TEXT
) STRICT;

CREATE TABLE account (
    id        INTEGER PRIMARY KEY,
    key       TEXT NOT NULL UNIQUE,
    name      TEXT NOT NULL,
    password  TEXT NOT NULL,
    character TEXT NOT NULL UNIQUE,
    keeper    INTEGER NOT NULL DEFAULT 0 CHECK (keeper IN (0, 1))
) STRICT;

CREATE TABLE refresh_grant (
    hash    TEXT PRIMARY KEY,
    family  TEXT NOT NULL,
    session TEXT NOT NULL,
    account INTEGER,
    expires REAL NOT NULL,
    state   TEXT NOT NULL DEFAULT 'good' CHECK (state IN ('good', 'spent', 'revoked'))
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_grant_family ON refresh_grant (family);
CREATE INDEX refresh_grant_session ON refresh_grant (session);
