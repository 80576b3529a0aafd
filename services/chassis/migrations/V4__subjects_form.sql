-- Stop every replica of the service before this one starts: an older version would go on to write rows of the older form.
--
-- By which form of the service's events the rows of `subjects` were derived. Where the service has another one when it opens the
-- log, it derives them anew from the events; rows of the older form stay, and no state is found by them any more. No row: the
-- first form.
CREATE TABLE subjects_form (
    singleton  boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    form       text    NOT NULL
);
