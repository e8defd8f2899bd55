-- advance_recent_from
-- $1 date  first day from which recent views are kept
UPDATE view_archive SET recent_from = $1 WHERE recent_from IS NULL OR recent_from < $1
