-- The fund's ledger as the audit reads it. Rows are only ever added: every answer is a function of the rows with
-- position <= P and effective_on <= D, so it stays the same however far the projection has gone on since.
-- Amounts are minor units of the row's currency. Regions, modes, industries and currencies are codes of the events.

-- When the log learned what: the first position of every distinct recording time. Times never go back along the log,
-- so the last position known at an instant is the one before the first row that is later.
CREATE TABLE clock (
    position     bigint      PRIMARY KEY,
    recorded_at  timestamptz NOT NULL
);
CREATE INDEX clock_recorded_at ON clock (recorded_at);

-- The played clock: the log's today from this position on. Empty where the log follows the system's clock.
CREATE TABLE todays (
    position  bigint PRIMARY KEY,
    today     date   NOT NULL
);

-- Facts that a programme has for good. A programme that an import opened has no title.
CREATE TABLE programmes (
    programme  uuid     PRIMARY KEY,
    fund       text     NOT NULL,
    year       smallint NOT NULL,
    currency   text     NOT NULL,
    title      text     NOT NULL,
    position   bigint   NOT NULL
);

-- Leading parties as they were named: one row for every code and name that a party first appears under.
-- name is '' where the event has none.
CREATE TABLE parties (
    party     uuid   NOT NULL,
    code      text   NOT NULL,
    name      text   NOT NULL,
    position  bigint NOT NULL,
    PRIMARY KEY (party, code, name)
);
CREATE INDEX parties_code ON parties (code);

-- Facts that a grant has for good.
CREATE TABLE grants (
    grant_id      uuid    PRIMARY KEY,
    programme     uuid    NOT NULL,
    title         text    NOT NULL,
    mode          text    NOT NULL,
    lead          uuid    NOT NULL,
    lead_region   text,
    industry      text,
    currency      text    NOT NULL,
    migrated      boolean NOT NULL,
    synthetic     boolean NOT NULL,
    position      bigint  NOT NULL,
    effective_on  date    NOT NULL
);

-- The last day of a project as its contract has it; the row with the highest position holds.
CREATE TABLE terms (
    position      bigint PRIMARY KEY,
    grant_id      uuid   NOT NULL,
    effective_on  date   NOT NULL,
    ends_on       date
);
CREATE INDEX terms_grant ON terms (grant_id, position);

-- Payment plans. A later plan of a grant replaces the whole of an earlier one.
CREATE TABLE tranche_plans (
    grant_id      uuid    NOT NULL,
    position      bigint  NOT NULL,
    number        integer NOT NULL,
    effective_on  date    NOT NULL,
    amount_minor  bigint  NOT NULL,
    due_on        date    NOT NULL,
    PRIMARY KEY (grant_id, position, number)
);

-- What happened to a tranche; the step with the highest position says where it stands. The numbers of the steps are
-- those of `numbers::Step`.
CREATE TABLE tranche_steps (
    position      bigint   PRIMARY KEY,
    grant_id      uuid     NOT NULL,
    number        integer  NOT NULL,
    step          smallint NOT NULL,
    effective_on  date     NOT NULL
);
CREATE INDEX tranche_steps_tranche ON tranche_steps (grant_id, number, position);

-- What put a grant on hold, and what resumed it (cause null); the row with the highest position says whether it is. cause is
-- 'office', or how the agreement that backs the grant left force. That a cause was cleared is no row: the hold stays.
CREATE TABLE holds (
    position      bigint PRIMARY KEY,
    grant_id      uuid   NOT NULL,
    effective_on  date   NOT NULL,
    cause         text,
    cause_on      date
);
CREATE INDEX holds_grant ON holds (grant_id, position);

-- The dimensions of postings, one row for every distinct combination. Its key is made of the first line that used it,
-- position * 256 + number of the line, not drawn from a sequence: a rebuild gives the very same keys, whatever the
-- sizes of its batches. grant_id and what follows from it are null on a programme's own lines.
CREATE TABLE dims (
    dims          bigint   PRIMARY KEY,
    programme     uuid     NOT NULL,
    year          smallint NOT NULL,
    currency      text     NOT NULL,
    grant_id      uuid,
    mode          text,
    industry      text,
    lead_region   text,
    party         uuid,
    party_region  text
);
CREATE INDEX dims_grant ON dims (grant_id);
CREATE INDEX dims_programme ON dims (programme, grant_id);

-- The ledger: one row a line. Kept narrow, because balances read all of it. The numbers of accounts and event types
-- are those of the Rust module `numbers`. period is the year and month of effective_on, as yyyymm; once periods are
-- closed by command, a late fact will be posted to the open one.
CREATE TABLE postings (
    position      bigint      NOT NULL,
    amount_minor  bigint      NOT NULL,
    dims          bigint      NOT NULL,
    recorded_at   timestamptz NOT NULL,
    effective_on  date        NOT NULL,
    period        integer     NOT NULL,
    line          smallint    NOT NULL,
    account       smallint    NOT NULL,
    event_type    smallint    NOT NULL,
    settles       boolean     NOT NULL,
    PRIMARY KEY (position, line)
);
CREATE INDEX postings_dims ON postings (dims, position);
