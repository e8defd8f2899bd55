"""The source article's ingester: one statement a heartbeat, which expands the range and unites sketch by sketch.

Table, covering index and statement are the article's, with three changes. Two, without which it does not run: sketches
are made as `hll_empty(12, 5)`, because the column refuses the extension's default of 2,048 registers, and the seconds
are cast, because psycopg sends small numbers as `smallint`, of which there is no `generate_series`. And the column is an
`hll(12, 5)` from the start.
"""

import psycopg

import beats

SCHEMA = """
CREATE EXTENSION IF NOT EXISTS hll;
DROP TABLE IF EXISTS video_heatmap;
CREATE TABLE video_heatmap (
    video_id text NOT NULL,
    region text NOT NULL,
    bucket_sec integer NOT NULL,
    viewers hll(12, 5) NOT NULL,
    PRIMARY KEY (video_id, region, bucket_sec)
);
CREATE INDEX video_heatmap_lookup ON video_heatmap (video_id, region, bucket_sec) INCLUDE (viewers);
"""

RECORD_WATCH = """
INSERT INTO video_heatmap (video_id, region, bucket_sec, viewers)
SELECT %(video_id)s, %(region)s, g.b, hll_add(hll_empty(12, 5), hll_hash_bigint(%(viewer)s))
FROM generate_series(%(start_sec)s::integer, %(end_sec)s::integer) AS g(b)
ON CONFLICT (video_id, region, bucket_sec)
DO UPDATE SET viewers = video_heatmap.viewers || hll_add(hll_empty(12, 5), hll_hash_bigint(%(viewer)s))
"""


def ingest(connection, heartbeats, commit_every):
    for number, beat in enumerate(heartbeats, start=1):
        # Hashed here, inside the timed section, because the article's ingester does.
        viewer = beats.viewer_hash(beat.viewer_id)
        with connection.cursor() as cursor:
            cursor.execute(RECORD_WATCH, {**beat._asdict(), "viewer": viewer})
        if number % commit_every == 0:
            connection.commit()
        if number % 10_000 == 0:
            beats.progress(f"article: {number} heartbeats")
    connection.commit()


def main():
    parser = beats.arguments(__doc__)
    parser.add_argument("--dsn", required=True, help="a database of its own")
    parser.add_argument("--commit-every", type=int, required=True, help="heartbeats a transaction")
    options = parser.parse_args()
    heartbeats = beats.read(options)

    with psycopg.connect(options.dsn) as connection:
        connection.execute(SCHEMA)
        connection.commit()
        seconds, _ = beats.timed(ingest, connection, heartbeats, options.commit_every)
        rows, size = connection.execute(
            "SELECT count(*), pg_total_relation_size('video_heatmap') FROM video_heatmap"
        ).fetchone()
        beats.report(
            f"article, {options.commit_every} a commit",
            f"PostgreSQL {connection.info.parameter_status('server_version')}, psycopg {psycopg.__version__}",
            len(heartbeats),
            seconds,
            size,
            rows=rows,
        )


if __name__ == "__main__":
    main()
