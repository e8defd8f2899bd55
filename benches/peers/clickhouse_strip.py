"""ClickHouse reads the dense strip: the same video that heatstrip and the article's query read.

One day of a video of 20 minutes in 8 regions, 6,000 viewers in each second of each region. States are written as they
are, so that nothing but reading is measured. A line on standard input asks for a read, its milliseconds come back.
"""

import csv
import io
import sys
import tempfile

from chdb.session import Session

import beats
from clickhouse import STATES, create_table, strip

SECONDS = 1200
REGIONS = 8
VIEWERS = 6000
# Different sets of viewers; each stays for 20 seconds.
SETS = 64


def fill(session):
    aggregate, state, _ = STATES["uniqCombined64"]
    session.query(create_table(aggregate, fsync=False))
    session.query(f"""
        CREATE TABLE pool ENGINE = Memory AS
        SELECT intDiv(number, {VIEWERS}) AS n, {state}(toInt64(n * 500 + number % {VIEWERS})) AS viewers
        FROM numbers({SETS * VIEWERS})
        GROUP BY n
    """)
    session.query(f"""
        INSERT INTO video_heatmap
        SELECT 'film', concat('R', toString(region)), second, viewers, {VIEWERS}
        FROM (
            SELECT number % {REGIONS} + 1 AS region, intDiv(number, {REGIONS}) AS second,
                (intDiv(second, 20) + region) % {SETS} AS n
            FROM numbers({SECONDS * REGIONS})
        ) AS seconds
        JOIN pool USING (n)
    """)
    session.query("OPTIMIZE TABLE video_heatmap FINAL")


def main():
    merge = STATES["uniqCombined64"][2]
    with tempfile.TemporaryDirectory(prefix="clickhouse-") as directory:
        session = Session(f"{directory}/data")
        fill(session)
        print("ready", flush=True)
        for _ in sys.stdin:
            seconds, answer = beats.timed(session.query, strip("film", merge))
            buckets = list(csv.reader(io.StringIO(str(answer))))
            assert len(buckets) == SECONDS // beats.RESOLUTION, len(buckets)
            assert all(int(viewers) > VIEWERS for _, viewers, _ in buckets), buckets[0]
            print(round(seconds * 1000, 2), flush=True)
        session.close()


if __name__ == "__main__":
    main()
