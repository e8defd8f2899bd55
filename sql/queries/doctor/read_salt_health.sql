-- read_salt_health
-- $1 date         today
-- $2 timestamptz  an epoch that had ended and was made by then should have lost its salt
SELECT (SELECT salt IS NOT NULL OR fingerprint IS NOT NULL FROM salt_epochs WHERE purpose = 'heartbeats' AND $1 BETWEEN first_day AND last_day) AS today,
    (SELECT rotation FROM salt_epochs WHERE purpose = 'heartbeats' AND $1 BETWEEN first_day AND last_day) AS rotation,
    (SELECT salt IS NOT NULL OR fingerprint IS NOT NULL FROM salt_epochs WHERE purpose = 'heartbeats' AND $1 + 1 BETWEEN first_day AND last_day) AS tomorrow,
    (SELECT count(*) FROM salt_epochs
     WHERE (salt IS NOT NULL OR fingerprint IS NOT NULL)
         AND greatest((last_day + 1)::timestamp AT TIME ZONE 'UTC', made_at) <= $2) AS overdue
