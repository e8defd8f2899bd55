"""Raw events: a row for each second that a viewer watched, loaded by COPY, counted when somebody asks.

The rows of a window are written out before its clock starts: what is timed is Postgres, not Python. The index is there
while they arrive, as it is where watching never stops.
"""

import psycopg

import beats

SCHEMA = """
DROP TABLE IF EXISTS watch_events;
CREATE TABLE watch_events (
    video_id text NOT NULL,
    region text NOT NULL,
    second integer NOT NULL,
    viewer bigint NOT NULL
);
CREATE INDEX watch_events_by_video ON watch_events (video_id, second);
"""

STRIP = f"""
SELECT second / {beats.RESOLUTION} AS bucket, count(DISTINCT viewer), count(*) AS seconds_played
FROM watch_events
WHERE video_id = %s
GROUP BY bucket
ORDER BY bucket
"""


def rows(window):
    """The window as COPY takes it; ids of the benchmark hold nothing that would have to be escaped."""
    lines = []
    for beat in window:
        viewer = beats.viewer_hash(beat.viewer_id)
        for second in range(beat.start_sec, beat.end_sec + 1):
            lines.append(f"{beat.video_id}\t{beat.region}\t{second}\t{viewer}\n")
    return "".join(lines)


def load(connection, text):
    with connection.cursor().copy("COPY watch_events (video_id, region, second, viewer) FROM STDIN") as copy:
        copy.write(text)
    connection.commit()


def main():
    parser = beats.arguments(__doc__)
    parser.add_argument("--dsn", required=True, help="a database of its own")
    parser.add_argument("--window", type=int, required=True, help="heartbeats a COPY")
    options = parser.parse_args()
    heartbeats = beats.read(options)

    with psycopg.connect(options.dsn) as connection:
        connection.execute(SCHEMA)
        connection.commit()
        seconds = 0.0
        for window in beats.windows(heartbeats, options.window):
            text = rows(window)
            seconds += beats.timed(load, connection, text)[0]
            beats.progress(f"raw events: {seconds:.2f} s")

        # What autovacuum would have done by the time somebody asks.
        connection.autocommit = True
        connection.execute("VACUUM (ANALYZE) watch_events")

        def read_strip(video_id):
            answer = connection.execute(STRIP, [video_id]).fetchall()
            return {bucket: viewers for bucket, viewers, _ in answer}

        count, size = connection.execute(
            "SELECT count(*), pg_total_relation_size('watch_events') FROM watch_events"
        ).fetchone()
        beats.report(
            f"raw events, COPY of {options.window}",
            f"PostgreSQL {connection.info.parameter_status('server_version')}",
            len(heartbeats),
            seconds,
            size,
            rows=count,
            **beats.strip_results(heartbeats, read_strip),
        )


if __name__ == "__main__":
    main()
