-- read_salt_debts
-- $1 timestamptz  an epoch that had ended and was made by then should have lost its salt
-- How many are overdue, since when the longest of them could have gone, and when the first salt of all was made.
SELECT count(*) FILTER (WHERE is_due) AS overdue, min(over_at) FILTER (WHERE is_due) AS first_over, min(made_at) AS first_made
FROM (
    SELECT made_at, greatest((last_day + 1)::timestamp AT TIME ZONE 'UTC', made_at) AS over_at,
        (salt IS NOT NULL OR fingerprint IS NOT NULL)
            AND greatest((last_day + 1)::timestamp AT TIME ZONE 'UTC', made_at) <= $1 AS is_due
    FROM salt_epochs
) AS epochs
