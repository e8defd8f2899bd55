-- read_kinds
SELECT kind, name, mode FROM counter_kinds ORDER BY kind
