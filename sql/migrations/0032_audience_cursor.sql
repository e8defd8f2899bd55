-- A night of the audience costs what is new: it looks at the days that heartbeats may still come to, and at those that a replay
-- has come to since.

ALTER TABLE sample_settings
    ADD COLUMN sealed_to date NOT NULL DEFAULT '0001-01-01',
    ADD COLUMN noted_to date NOT NULL DEFAULT '0001-01-01';
COMMENT ON COLUMN sample_settings.sealed_to IS 'The night has sealed all days before this one: the noted_to of the night before, for steps that were under way then';
COMMENT ON COLUMN sample_settings.noted_to IS 'Whatever a step appends to days before this one is noted in sample_notes';

CREATE TABLE sample_notes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    captured_on date NOT NULL
);
COMMENT ON TABLE sample_notes IS 'Days to whose samples a step has appended when the night was done with them. Only appended to, so that no step waits for another';
COMMENT ON COLUMN sample_notes.id IS 'Names the note, so that the night removes those that it has read';
COMMENT ON COLUMN sample_notes.captured_on IS 'UTC day of capture';
