"""ClickHouse, embedded: sketches and plays by video, region and second in an AggregatingMergeTree.

It keeps what heatstrip keeps. Each window is a file in ClickHouse's own row format, viewers hashed, before its clock
starts; what is timed is one INSERT … SELECT that spreads the ranges over their seconds. Two ways to write that:
`group-by` unites the viewers of a second while selecting, as the documentation shows it; `initialize` makes a state of
each viewer's second and leaves uniting to the table's own sort, which takes half the time.
"""

import csv
import io
import struct
import tempfile
from pathlib import Path

import chdb
from chdb.session import Session

import beats

# The aggregate function, its state and its union.
STATES = {
    "uniqCombined64": ("uniqCombined64(12)", "uniqCombined64State(12)", "uniqCombined64Merge(12)"),
    "uniqHLL12": ("uniqHLL12", "uniqHLL12State", "uniqHLL12Merge"),
}

# With both, an INSERT returns when its part and the part's directory are on disk. Neither is on by default.
FSYNC = "SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"

BEATS = """
    video_id LowCardinality(String), region LowCardinality(String),
    start_sec UInt32, end_sec UInt32, viewer Int64
"""


def create_table(aggregate, fsync):
    return f"""
        CREATE TABLE video_heatmap (
            video_id LowCardinality(String),
            region LowCardinality(String),
            second UInt32,
            viewers AggregateFunction({aggregate}, Int64),
            plays SimpleAggregateFunction(sum, UInt64)
        )
        ENGINE = AggregatingMergeTree
        ORDER BY (video_id, region, second)
        {FSYNC if fsync else ""}
    """


def insert(file, state, way):
    if way == "group-by":
        values, group = f"{state}(viewer), count()", "GROUP BY video_id, region, second"
    else:
        values, group = f"initializeAggregation('{state}', viewer), 1", ""
    return f"""
        INSERT INTO video_heatmap
        SELECT video_id, region, second, {values}
        FROM file('{file}', RowBinary, '{BEATS}')
        ARRAY JOIN range(start_sec, end_sec + 1) AS second
        {group}
        SETTINGS max_threads = 2
    """


def strip(video_id, merge):
    return f"""
        SELECT intDiv(second, {beats.RESOLUTION}) AS bucket, {merge}(viewers), sum(plays)
        FROM video_heatmap
        WHERE video_id = '{video_id}'
        GROUP BY bucket
        ORDER BY bucket
        SETTINGS max_threads = 2
    """


def row_binary(window):
    rows = bytearray()
    for beat in window:
        for text in (beat.video_id.encode(), beat.region.encode()):
            # A length below 128 is one byte; ids of the benchmark are shorter.
            rows += struct.pack("B", len(text)) + text
        rows += struct.pack("<IIq", beat.start_sec, beat.end_sec, beats.viewer_hash(beat.viewer_id))
    return rows


def main():
    parser = beats.arguments(__doc__)
    parser.add_argument("--state", choices=STATES, required=True)
    parser.add_argument("--insert", choices=["group-by", "initialize"], required=True)
    parser.add_argument("--window", type=int, required=True, help="heartbeats an INSERT")
    parser.add_argument("--fsync", action="store_true", help="on disk when the INSERT returns")
    options = parser.parse_args()
    heartbeats = beats.read(options)
    aggregate, state, merge = STATES[options.state]

    with tempfile.TemporaryDirectory(prefix="clickhouse-") as directory:
        session = Session(f"{directory}/data")

        def rows(statement):
            return list(csv.reader(io.StringIO(str(session.query(statement)))))

        session.query(create_table(aggregate, options.fsync))
        seconds = 0.0
        file = Path(directory, "window")
        for window in beats.windows(heartbeats, options.window):
            file.write_bytes(row_binary(window))
            seconds += beats.timed(session.query, insert(file, state, options.insert))[0]
            beats.progress(f"clickhouse: {seconds:.2f} s")

        def read_strip(video_id):
            return {int(bucket): int(viewers) for bucket, viewers, _ in rows(strip(video_id, merge))}

        results = beats.strip_results(heartbeats, read_strip)
        [[parts, stored, size]] = rows(
            "SELECT count(), sum(rows), sum(bytes_on_disk) FROM system.parts WHERE table = 'video_heatmap' AND active"
        )
        [[plays]] = rows("SELECT sum(plays) FROM video_heatmap")
        assert int(plays) == sum(beat.end_sec - beat.start_sec + 1 for beat in heartbeats)
        [[version]] = rows("SELECT version()")
        session.close()

    beats.report(
        f"ClickHouse {aggregate}, {options.insert}{', fsync' if options.fsync else ''}",
        f"ClickHouse {version} (chdb {chdb.__version__})",
        len(heartbeats),
        seconds,
        int(size),
        rows=int(stored),
        parts=int(parts),
        **results,
    )


if __name__ == "__main__":
    main()
