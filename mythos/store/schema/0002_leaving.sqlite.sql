-- since: unix second before which no access token of the session is good.
ALTER TABLE session ADD COLUMN since REAL NOT NULL DEFAULT 0;

-- leaves: unix second at which the account is deleted; 0: it stays.
ALTER TABLE account ADD COLUMN leaves REAL NOT NULL DEFAULT 0;

-- Names of accounts that were deleted, as SHA-256 of their keys: nobody may take one before it ends, a unix second.
CREATE TABLE former_name (
    digest TEXT PRIMARY KEY,
    ends   REAL NOT NULL
) STRICT, WITHOUT ROWID;
