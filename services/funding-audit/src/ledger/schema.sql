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

-- Decisions of several events, by the positions of their first and last one: as of a position between them nothing is answered.
CREATE TABLE decisions (
    first  bigint PRIMARY KEY,
    last   bigint NOT NULL
);

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

-- Parties as they were named, leading ones and partners, and as the directory has them: one row for every code and name that a
-- party first appears under. name is '' where the event has none, and so is code of a rename.
CREATE TABLE parties (
    party     uuid   NOT NULL,
    code      text   NOT NULL,
    name      text   NOT NULL,
    position  bigint NOT NULL,
    PRIMARY KEY (party, code, name)
);
CREATE INDEX parties_code ON parties (code);

-- Which party an id stands for, as the directory was taken in. The row of an id with the highest position holds, from
-- effective_on on: into_party is the party that has the code from which the id would follow, or the one that it was merged into;
-- null where the directory records the id as a party of its own. A row is void once its into_party was recorded anew, in a later
-- generation of the directory, unless it stands by_code: the id is what the party's own code gave before.
CREATE TABLE party_links (
    position      bigint PRIMARY KEY,
    party         uuid   NOT NULL,
    into_party    uuid,
    effective_on  date   NOT NULL,
    by_code       boolean NOT NULL
);
CREATE INDEX party_links_party ON party_links (party, position);

-- Organisations that stand for parties, as the directory was taken in: from the day of a row that is not ended until that of the
-- next one that is. organisation is in the form in which organisations are compared.
CREATE TABLE representations (
    position      bigint  PRIMARY KEY,
    party         uuid    NOT NULL,
    organisation  text    NOT NULL,
    effective_on  date    NOT NULL,
    ended         boolean NOT NULL
);
CREATE INDEX representations_organisation ON representations (organisation);

-- Facts that a grant has for good. titled: the title is the project's own; that of a migrated award whose source has none is made
-- of its key there, and says nothing about the project. project: the title in its normal form and the industry, whoever leads it.
CREATE TABLE grants (
    grant_id            uuid    PRIMARY KEY,
    programme           uuid    NOT NULL,
    title               text    NOT NULL,
    titled              boolean NOT NULL,
    project             uuid    NOT NULL,
    mode                text    NOT NULL,
    lead                uuid    NOT NULL,
    lead_code           text    NOT NULL,
    lead_region         text,
    industry            text,
    currency            text    NOT NULL,
    total_budget_minor  bigint,
    migrated            boolean NOT NULL,
    synthetic           boolean NOT NULL,
    position            bigint  NOT NULL,
    effective_on        date    NOT NULL
);
CREATE INDEX grants_lead ON grants (lead);

-- The first and the last day of a project and the day by which its final acceptance is due, as its contract has them;
-- the row with the highest position holds. A migrated award has no day of acceptance.
CREATE TABLE terms (
    position           bigint PRIMARY KEY,
    grant_id           uuid   NOT NULL,
    effective_on       date   NOT NULL,
    starts_on          date,
    ends_on            date,
    acceptance_due_on  date
);
CREATE INDEX terms_grant ON terms (grant_id, position);

-- Payment plans. A later plan of a grant replaces the whole of an earlier one.
CREATE TABLE tranche_plans (
    grant_id      uuid    NOT NULL,
    position      bigint  NOT NULL,
    number        integer NOT NULL,
    effective_on  date    NOT NULL,
    amount_minor  bigint  NOT NULL,
    condition     text    NOT NULL,
    due_on        date    NOT NULL,
    PRIMARY KEY (grant_id, position, number)
);

-- What happened to a tranche; the step with the highest position says where it stands. The numbers of the steps are
-- those of `numbers::Step`. A settlement that was corrected is a step of the day that it was wrongly recorded for.
-- amount_minor: asked for, authorised, instructed, paid or come back. instruction and attempt from the instruction on.
-- short_minor: of an instruction what was kept back for recoveries of other grants; of a settled payment that came back
-- what the lead did not hold any more. actor and actor_org are the opaque ids of who acted, here and in other steps in the normal
-- form in which persons and organisations are compared.
CREATE TABLE tranche_steps (
    position        bigint   PRIMARY KEY,
    grant_id        uuid     NOT NULL,
    number          integer  NOT NULL,
    step            smallint NOT NULL,
    effective_on    date     NOT NULL,
    amount_minor    bigint,
    short_minor     bigint   NOT NULL,
    instruction     uuid,
    attempt         integer,
    bank_reference  text,
    actor           text     NOT NULL,
    actor_org       text     NOT NULL
);
CREATE INDEX tranche_steps_tranche ON tranche_steps (grant_id, number, position);
CREATE INDEX tranche_steps_instruction ON tranche_steps (instruction) WHERE instruction IS NOT NULL;

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

-- The agreement that each instruction was given under, and when that of a grant left force and was in force again, as far as the
-- agreement log was taken in. The steps are those of `numbers::BackingStep`; effective_on is the day of the step itself, whenever
-- it was told.
CREATE TABLE backing_steps (
    position      bigint   PRIMARY KEY,
    grant_id      uuid     NOT NULL,
    agreement     uuid     NOT NULL,
    step          smallint NOT NULL,
    effective_on  date     NOT NULL
);
CREATE INDEX backing_steps_grant ON backing_steps (grant_id, position);

-- Movements of money that the bank reported; reference is in its normal form, one for all spellings.
CREATE TABLE bank_facts (
    position      bigint PRIMARY KEY,
    grant_id      uuid   NOT NULL,
    reference     text   NOT NULL,
    effective_on  date   NOT NULL
);
CREATE INDEX bank_facts_reference ON bank_facts (grant_id, reference);

-- Shares of a grant's parties, the lead included. A later set replaces the whole of an earlier one. number is the place in the
-- set: a migrated source may name a party twice. amount_minor is null where the source does not say. A set that is empty in
-- the event is one row, all the lead's; a contract without shares keeps those of the application where they add up to what is
-- contracted.
CREATE TABLE shares (
    grant_id      uuid     NOT NULL,
    position      bigint   NOT NULL,
    number        smallint NOT NULL,
    effective_on  date     NOT NULL,
    party         uuid     NOT NULL,
    code          text     NOT NULL,
    region        text,
    amount_minor  bigint,
    PRIMARY KEY (grant_id, position, number)
);

-- Matching money: its sources, their instalments, and what became of them. kind and level are codes of the events. The numbers
-- of the steps are those of `numbers::MatchMove`; each has its amount above zero, and a correction counts from the day of the
-- arrival that it takes back. A release has no instalment: it is of all that had not arrived.
CREATE TABLE match_sources (
    position      bigint  PRIMARY KEY,
    grant_id      uuid    NOT NULL,
    source        integer NOT NULL,
    effective_on  date    NOT NULL,
    kind          text    NOT NULL,
    level         text,
    is_public     boolean NOT NULL,
    payer         uuid,
    amount_minor  bigint  NOT NULL
);
CREATE UNIQUE INDEX match_sources_source ON match_sources (grant_id, source);

CREATE TABLE match_instalments (
    position      bigint  NOT NULL,
    grant_id      uuid    NOT NULL,
    source        integer NOT NULL,
    number        integer NOT NULL,
    effective_on  date    NOT NULL,
    amount_minor  bigint  NOT NULL,
    due_on        date    NOT NULL,
    PRIMARY KEY (position, number)
);
CREATE INDEX match_instalments_source ON match_instalments (grant_id, source, number);

CREATE TABLE match_moves (
    position      bigint   PRIMARY KEY,
    grant_id      uuid     NOT NULL,
    source        integer  NOT NULL,
    instalment    integer,
    step          smallint NOT NULL,
    effective_on  date     NOT NULL,
    amount_minor  bigint   NOT NULL
);
CREATE INDEX match_moves_source ON match_moves (grant_id, source, instalment);

-- Items of spending as they were reported. An item's id is its recipient's own, and names it within its grant: another grant may have
-- an item of the same id. category is a code of the events. The invoice's columns are null where there is none; invoice is the id of
-- its normal form, one for all spellings, issuer and number are as the item has them, total_minor is the whole of it.
CREATE TABLE spends (
    position      bigint PRIMARY KEY,
    spend         uuid   NOT NULL,
    grant_id      uuid   NOT NULL,
    party         uuid   NOT NULL,
    effective_on  date   NOT NULL,
    category      text   NOT NULL,
    spent_on      date   NOT NULL,
    amount_minor  bigint NOT NULL,
    invoice       uuid,
    issuer        text,
    number        text,
    total_minor   bigint
);
CREATE UNIQUE INDEX spends_spend ON spends (grant_id, spend);
CREATE INDEX spends_grant ON spends (grant_id, position);
CREATE INDEX spends_invoice ON spends (invoice) WHERE invoice IS NOT NULL;

-- What became of an item; the step with the highest position says where it stands, and without one it is reported. The numbers
-- of the steps are those of `numbers::SpendStep`. An acceptance that was corrected is reported again from the acceptance's day.
CREATE TABLE spend_steps (
    position      bigint   PRIMARY KEY,
    spend         uuid     NOT NULL,
    grant_id      uuid     NOT NULL,
    step          smallint NOT NULL,
    effective_on  date     NOT NULL,
    amount_minor  bigint   NOT NULL,
    actor         text     NOT NULL,
    actor_org     text     NOT NULL
);
CREATE INDEX spend_steps_spend ON spend_steps (grant_id, spend, position);

-- Steps of a grant's own life, numbered as in `numbers::GrantStep`, which says what the columns mean for each.
CREATE TABLE grant_steps (
    position      bigint   PRIMARY KEY,
    grant_id      uuid     NOT NULL,
    step          smallint NOT NULL,
    effective_on  date     NOT NULL,
    amount_minor  bigint,
    day           date,
    number        integer,
    said          text,
    actor         text     NOT NULL,
    actor_org     text     NOT NULL
);
CREATE INDEX grant_steps_grant ON grant_steps (grant_id, position);
CREATE INDEX grant_steps_step ON grant_steps (step, position);

-- Rules that a meeting set aside for a grant (A18).
CREATE TABLE overrides (
    position      bigint PRIMARY KEY,
    grant_id      uuid   NOT NULL,
    effective_on  date   NOT NULL,
    rule          text   NOT NULL,
    minutes       text   NOT NULL,
    reason        text   NOT NULL,
    actor         text   NOT NULL
);
CREATE INDEX overrides_grant ON overrides (grant_id, position);

-- Balances that a recipient keeps by rule. until is null where there is no last day.
CREATE TABLE retained (
    position      bigint PRIMARY KEY,
    grant_id      uuid   NOT NULL,
    party         uuid   NOT NULL,
    effective_on  date   NOT NULL,
    amount_minor  bigint NOT NULL,
    until         date
);
CREATE INDEX retained_grant ON retained (grant_id, position);

-- Recoveries. cause is a code of the events.
CREATE TABLE recoveries (
    recovery      uuid   PRIMARY KEY,
    grant_id      uuid   NOT NULL,
    position      bigint NOT NULL,
    effective_on  date   NOT NULL,
    cause         text   NOT NULL,
    amount_minor  bigint NOT NULL
);
CREATE INDEX recoveries_grant ON recoveries (grant_id);

-- What happened to a recovery, numbered as in `numbers::RecoveryStep`. amount_minor is above zero where money moved: given back
-- to where it was taken from, repaid, offset, written off, or a repayment that was corrected, which counts from the repayment's
-- day. due_on is that of a demand; against and tranche are those of an offset.
CREATE TABLE recovery_steps (
    position      bigint   PRIMARY KEY,
    recovery      uuid     NOT NULL,
    grant_id      uuid     NOT NULL,
    step          smallint NOT NULL,
    effective_on  date     NOT NULL,
    amount_minor  bigint,
    due_on        date,
    against       uuid,
    tranche       integer
);
CREATE INDEX recovery_steps_recovery ON recovery_steps (recovery, position);

-- Facts of money that were reversed (A17). fact_on is when that which is reversed had happened; effective_on when it was
-- reversed.
CREATE TABLE corrections (
    position      bigint PRIMARY KEY,
    grant_id      uuid   NOT NULL,
    reverses      bigint NOT NULL,
    effective_on  date   NOT NULL,
    kind          text   NOT NULL,
    amount_minor  bigint NOT NULL,
    fact_on       date   NOT NULL,
    authority     text   NOT NULL,
    reason        text   NOT NULL
);
CREATE INDEX corrections_reverses ON corrections (reverses);

-- Facts of programmes, grants, recoveries and rectifications that were recorded later than the day on which they happened (A17).
-- known_on is the log's today when it learned them. Imports are exempt, and so is what is taken in from the agreement log.
-- grant_id is null for a programme's own, and both are null for a rectification's.
CREATE TABLE late (
    position      bigint  PRIMARY KEY,
    programme     uuid,
    grant_id      uuid,
    event_type    text    NOT NULL,
    effective_on  date    NOT NULL,
    known_on      date    NOT NULL,
    days          integer NOT NULL
);
CREATE INDEX late_grant ON late (grant_id) WHERE grant_id IS NOT NULL;

-- Charges: findings that somebody was charged with, one row each time. rule, subject and finding_position are the finding's key as
-- it was written; no finding has another spelling than its own. grant_id is the subject's own grant or recovery's; where the
-- subject names none that was on record, the one that the event names. The charge with the highest position holds.
CREATE TABLE rectifications (
    rectification     uuid   NOT NULL,
    position          bigint PRIMARY KEY,
    effective_on      date   NOT NULL,
    rule              text   NOT NULL,
    subject           text   NOT NULL,
    finding_position  bigint NOT NULL,
    grant_id          uuid,
    owner             text   NOT NULL,
    deadline          date   NOT NULL,
    task              text   NOT NULL
);
CREATE INDEX rectifications_rectification ON rectifications (rectification, position);
CREATE INDEX rectifications_subject ON rectifications (subject);
CREATE INDEX rectifications_grant ON rectifications (grant_id) WHERE grant_id IS NOT NULL;

-- What came of a charge, numbered as in `numbers::RectificationStep`; the steps after it are its own. said is the explanation,
-- evidence or reason. seen_minor and seen_currency are what the finding amounted to, as those who decided said.
CREATE TABLE rectification_steps (
    position       bigint   PRIMARY KEY,
    rectification  uuid     NOT NULL,
    step           smallint NOT NULL,
    effective_on   date     NOT NULL,
    said           text     NOT NULL,
    seen_minor     bigint,
    seen_currency  text
);
CREATE INDEX rectification_steps_rectification ON rectification_steps (rectification, position);

-- The dimensions of postings, one row for every distinct combination. Its key is made of the first line that used it,
-- position * 65536 + number of the line, not drawn from a sequence: a rebuild gives the very same keys, whatever the
-- sizes of its batches. grant_id and what follows from it are null on a programme's own lines. party is who holds the money:
-- the lead, or a partner, whose region is that of its share when it first held any.
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
-- are those of the Rust module `numbers`. effective_on is when the event happened, or the day from which its lines count: a
-- reversal counts from that of what it reverses. period is the year and month of effective_on, as yyyymm; once periods are
-- closed by command, a late fact will be posted to the open one. An event has fewer lines than 32,768: it takes 256 KiB at most, and
-- what a line is made of takes more than 30 bytes of it.
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
-- Carries what balances add up, so that those of one programme or grant are read from the index alone: 100,000 of a million
-- lines in 42 ms, where reading the table took 95 ms for 82,000.
CREATE INDEX postings_dims ON postings (dims, position) INCLUDE (amount_minor, effective_on, account, settles);
