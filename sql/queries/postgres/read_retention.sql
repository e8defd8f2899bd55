-- read_retention
SELECT kept_from, fine_from FROM retention
