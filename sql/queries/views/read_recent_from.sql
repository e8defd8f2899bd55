-- read_recent_from
SELECT recent_from FROM view_archive
