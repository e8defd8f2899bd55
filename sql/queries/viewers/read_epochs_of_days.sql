-- read_epochs_of_days
-- $1 date[]  days
-- The first day of each day's salt epoch of heartbeats; the day itself where it has none.
SELECT d.day, coalesce(e.first_day, d.day) AS first_day
FROM unnest($1::date[]) AS d (day)
LEFT JOIN salt_epochs AS e ON e.purpose = 'heartbeats' AND d.day BETWEEN e.first_day AND e.last_day
