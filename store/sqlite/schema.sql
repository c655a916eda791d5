CREATE TABLE calls (
    id         TEXT PRIMARY KEY,
    started_at INTEGER NOT NULL, -- nanoseconds since 1970, UTC
    ended_at   INTEGER NOT NULL, -- 0: not over, or never told
    client     TEXT NOT NULL,
    cause      TEXT NOT NULL
) STRICT;

CREATE INDEX calls_by_start ON calls (started_at);

CREATE TABLE turns (
    call_id    TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    number     INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    input      TEXT NOT NULL,
    user       TEXT NOT NULL,
    reply      TEXT NOT NULL,
    status     TEXT NOT NULL,
    reason     TEXT NOT NULL,
    timeline   TEXT NOT NULL, -- JSON
    PRIMARY KEY (call_id, number)
) STRICT, WITHOUT ROWID;
