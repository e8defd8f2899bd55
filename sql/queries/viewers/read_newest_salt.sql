-- read_newest_salt
-- When the last salt was made that changes at least once a month.
SELECT max(made_at) AS made_at FROM salt_epochs WHERE rotation <> 'never'
