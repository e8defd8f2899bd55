-- Bytes a record, with all indexes; the dictionaries apart.
SELECT (SELECT count(*) FROM counter_marks) AS marks,
    round(pg_total_relation_size('counter_marks')::numeric / nullif((SELECT count(*) FROM counter_marks), 0), 1) AS bytes_a_mark,
    (SELECT count(*) FROM counter_events) AS events,
    (SELECT sum(cardinality(members)) FROM counter_blocks) AS packed,
    round(pg_table_size('counter_blocks')::numeric / nullif((SELECT sum(cardinality(members)) FROM counter_blocks), 0), 1) AS bytes_in_blocks,
    round(pg_total_relation_size('counter_blocks')::numeric / nullif((SELECT sum(cardinality(members)) FROM counter_blocks), 0), 1)
        AS bytes_packed_with_indexes,
    round((pg_total_relation_size('counter_blocks') + pg_total_relation_size('counter_events'))::numeric
        / nullif((SELECT sum(total) FROM counters WHERE kind = 4), 0), 1) AS bytes_a_count,
    pg_size_pretty(pg_total_relation_size('counters')) AS counters,
    pg_size_pretty(pg_total_relation_size('counter_objects') + pg_total_relation_size('counter_members')) AS dictionaries;
