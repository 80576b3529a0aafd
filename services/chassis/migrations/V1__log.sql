-- The log of one service. docs: ARCHITECTURE.md, "Write path".

-- One row: which log this is. Never updated but by recovery.
CREATE TABLE log (
    singleton      boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    name           text        NOT NULL,
    cell           text        NOT NULL,
    log_id         uuid        NOT NULL,
    generation     integer     NOT NULL,
    clock          text        NOT NULL CHECK (clock IN ('system', 'played')),
    played_from    date,
    pg_system_id   text        NOT NULL,
    pg_timeline    integer     NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((clock = 'played') = (played_from IS NOT NULL))
);

-- The primary key is the lock: a batch is inserted at the positions after the head it was decided at, or not at all.
CREATE TABLE events (
    position  bigint PRIMARY KEY CHECK (position > 0),
    stream    uuid   NOT NULL,
    version   bigint NOT NULL CHECK (version > 0),
    record    json   NOT NULL,
    CONSTRAINT events_stream_version UNIQUE (stream, version)
);

-- Further states that an event is applied to, beside its own stream.
CREATE TABLE subjects (
    subject   uuid   NOT NULL,
    position  bigint NOT NULL,
    PRIMARY KEY (subject, position)
);

-- The answer to every accepted command, for good.
CREATE TABLE requests (
    request_id  uuid  PRIMARY KEY,
    body_hash   bytea NOT NULL,
    command     json  NOT NULL,
    outcome     json  NOT NULL
);

-- Commands that a rule refused. Best effort, bounded in rate; completeness is not claimed.
CREATE TABLE refusals (
    number       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    head         bigint NOT NULL,
    request_id   uuid   NOT NULL,
    reason       text   NOT NULL,
    refusal      json   NOT NULL,
    command      json   NOT NULL
);

-- Newest folded state of a subject. A cache: it may be emptied at any time. The nil UUID is the log's own index.
CREATE TABLE snapshots (
    subject   uuid   PRIMARY KEY,
    position  bigint NOT NULL,
    version   bigint NOT NULL,
    fold      text   NOT NULL,
    state     json   NOT NULL
);

-- Personal data: the key of each person's hashes, made once. It is cleared when the person is erased; the row stays, so
-- that an erased id is never used again.
CREATE TABLE personal (
    person_id  text  PRIMARY KEY CHECK (octet_length(person_id) <= 128),
    salt       bytea NOT NULL,
    erased_at  timestamptz
);

-- Events hold person_id and the keyed hash; each finds its own text by them. A text is never replaced, only erased, and
-- erasing it leaves every proof intact.
CREATE TABLE personal_texts (
    person_id  text NOT NULL REFERENCES personal,
    hash       text NOT NULL CHECK (octet_length(hash) = 64),
    text       text NOT NULL,
    stored_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (person_id, hash)
);
