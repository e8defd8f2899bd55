"""What all peers share: the beats, the viewer hash, the clock, the exact answer and the one line of results.

Beats are read and hashed before any clock starts, except where a peer's own design does it while it ingests.
"""

import argparse
import hashlib
import json
import math
import statistics
import sys
import time
from collections import Counter, defaultdict
from typing import NamedTuple

SALT = b"benchmark"
# Seconds a bucket of the strip that each peer reads: what a dashboard shows first.
RESOLUTION = 5


class Beat(NamedTuple):
    video_id: str
    region: str
    start_sec: int
    end_sec: int
    viewer_id: str


def viewer_hash(viewer_id):
    digest = hashlib.blake2b(viewer_id.encode() + SALT, digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--beats", required=True, help="heartbeats of one day, one JSON object a line")
    parser.add_argument("--count", type=int, help="take only so many, the first ones")
    return parser


def read(options):
    """The beats in the order in which they were sent."""
    beats = []
    with open(options.beats) as lines:
        for line in lines:
            if len(beats) == options.count:
                break
            beat = json.loads(line)
            beats.append(Beat(*(beat[field] for field in Beat._fields)))
    return beats


def windows(beats, size):
    return [beats[start : start + size] for start in range(0, len(beats), size)]


def most_watched(beats):
    """The video with the most seconds played."""
    seconds = Counter()
    for beat in beats:
        seconds[beat.video_id] += beat.end_sec - beat.start_sec + 1
    return seconds.most_common(1)[0][0]


def exact_strip(beats, video_id):
    """Per bucket the number of different viewers, counted."""
    viewers = defaultdict(set)
    for beat in beats:
        if beat.video_id == video_id:
            for bucket in range(beat.start_sec // RESOLUTION, beat.end_sec // RESOLUTION + 1):
                viewers[bucket].add(beat.viewer_id)
    return {bucket: len(present) for bucket, present in viewers.items()}


def timed(work, *args):
    """How many seconds it took, and what it gave."""
    started = time.perf_counter()
    result = work(*args)
    return time.perf_counter() - started, result


def strip_results(beats, read_strip):
    """Times `read_strip(video_id) -> {bucket: viewers}` of the most watched video and checks what it answers.

    The first read finds whatever loading left in the caches, the other five what the first one left.
    """
    video_id = most_watched(beats)
    first, strip = timed(read_strip, video_id)
    again = statistics.median(timed(read_strip, video_id)[0] for _ in range(5))
    exact = exact_strip(beats, video_id)
    if strip.keys() != exact.keys():
        sys.exit(f"the strip has {len(strip)} buckets, there are {len(exact)}")
    errors = [(strip[bucket] - exact[bucket]) / exact[bucket] for bucket in exact]
    return {
        "strip_buckets": len(strip),
        "strip_peak_exact": max(exact.values()),
        "strip_first_ms": round(first * 1000, 2),
        "strip_median_ms": round(again * 1000, 2),
        # Root mean square over the buckets.
        "strip_relative_error": round(math.sqrt(statistics.fmean(error**2 for error in errors)), 5),
    }


def progress(text):
    print(text, file=sys.stderr)


def report(name, version, heartbeats, seconds, bytes_on_disk, **more):
    """Prints the results: the only line on standard output."""
    results = {
        "name": name,
        "version": version,
        "heartbeats": heartbeats,
        "seconds": round(seconds, 3),
        "heartbeats_per_second": round(heartbeats / seconds),
        "bytes_on_disk": bytes_on_disk,
        **more,
    }
    print(json.dumps(results))
