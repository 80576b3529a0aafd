-- Stop every replica of the service before this one starts: the tables are rewritten, and an older version cannot read
-- them afterwards.
--
-- An event is a byte string, and a column that says so costs the commit less than one that is parsed to be checked: the
-- writer made the document a moment ago. The answer of a command is kept in columns instead of a second document.

ALTER TABLE events ALTER COLUMN record TYPE bytea USING convert_to(record::text, 'UTF8');

-- Events as people and their tools read them. Nothing of ours does: the bytes count.
CREATE VIEW events_json AS
    SELECT position, stream, version, convert_from(record, 'UTF8')::json AS record FROM events;

ALTER TABLE requests
    ALTER COLUMN command TYPE bytea USING convert_to(command::text, 'UTF8'),
    ADD COLUMN first_position bigint,
    ADD COLUMN last_position  bigint,
    ADD COLUMN version        bigint,
    ADD COLUMN leaf_hashes    bytea,
    ADD COLUMN rulebook       text,
    ADD COLUMN answer         json;

UPDATE requests SET
    first_position = (outcome->>'first_position')::bigint,
    last_position  = (outcome->>'last_position')::bigint,
    version        = (outcome->>'version')::bigint,
    leaf_hashes    = decode(coalesce((SELECT string_agg(hash, '' ORDER BY n)
                         FROM json_array_elements_text(outcome->'leaf_hashes') WITH ORDINALITY AS h (hash, n)), ''), 'hex'),
    rulebook       = outcome->>'rulebook',
    answer         = CASE WHEN outcome->>'answer' <> '{}' THEN outcome->'answer' END;

-- first_position is 0 where nothing changed; leaf_hashes are 32 bytes for each event; answer is null where it is empty.
ALTER TABLE requests
    DROP COLUMN outcome,
    ALTER COLUMN first_position SET NOT NULL,
    ALTER COLUMN last_position  SET NOT NULL,
    ALTER COLUMN version        SET NOT NULL,
    ALTER COLUMN leaf_hashes    SET NOT NULL,
    ALTER COLUMN rulebook       SET NOT NULL;
