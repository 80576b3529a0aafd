-- What operators decided when the log could not go on by itself (`concord log recover`). A row is written when a recovery
-- begins, and finished when what it decided holds; one that was interrupted stays unfinished.
CREATE TABLE recoveries (
    number           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    began_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at      timestamptz,
    way              text    NOT NULL,
    decided_by       text    NOT NULL,
    reason           text    NOT NULL,
    from_generation  integer NOT NULL,
    to_generation    integer,
    from_system_id   text    NOT NULL,
    from_timeline    integer NOT NULL,
    to_system_id     text    NOT NULL,
    to_timeline      integer NOT NULL,
    from_head        bigint  NOT NULL,
    to_head          bigint,
    stream_last      bigint  NOT NULL
);
