-- read_sealing
-- What the night has to seal: the days from sealed_to on, and those of the notes.
SELECT sealed_to, noted_to,
    ARRAY(SELECT id FROM sample_notes ORDER BY id) AS notes,
    ARRAY(SELECT DISTINCT captured_on FROM sample_notes ORDER BY captured_on) AS noted_days
FROM sample_settings
