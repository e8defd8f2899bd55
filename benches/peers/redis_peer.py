"""Redis: a HyperLogLog by video, region and second, in a server of its own that keeps an append-only file.

Viewers only: plays would be as many counters again. The commands of a window are written out before its clock starts,
one PFADD for all viewers that the window brings to a key, and sent as Redis teaches to send many: by `redis-cli --pipe`.
Take a sample: each second of a video becomes a key, and a strip names them all.
"""

import subprocess
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import redis

import beats


def start(directory, sync):
    """A server that listens on a socket in `directory` alone, as Postgres does here, and writes no snapshots."""
    socket = f"{directory}/socket"
    server = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", socket, "--dir", directory, "--save", ""]
        + ["--appendonly", "yes", "--appendfsync", sync],
        stdout=subprocess.DEVNULL,
    )
    client = redis.Redis(unix_socket_path=socket)
    for _ in range(100):
        try:
            client.ping()
            return server, client, socket
        except redis.ConnectionError:
            time.sleep(0.1)
    server.kill()
    raise SystemExit("redis-server does not answer")


def key(video_id, region, second):
    return f"viewers:{video_id}:{region}:{second}"


def commands(window):
    """The window in Redis' protocol, and how many commands that is."""
    viewers = defaultdict(set)
    for beat in window:
        viewer = str(beats.viewer_hash(beat.viewer_id))
        for second in range(beat.start_sec, beat.end_sec + 1):
            viewers[key(beat.video_id, beat.region, second)].add(viewer)
    lines = []
    for name, present in viewers.items():
        words = ["PFADD", name, *present]
        lines.append(f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words))
    return "".join(lines).encode(), len(viewers)


def send(socket, protocol):
    command = ["redis-cli", "-s", socket, "--pipe"]
    return subprocess.run(command, input=protocol, capture_output=True, check=True).stdout.decode()


def main():
    parser = beats.arguments(__doc__)
    parser.add_argument("--window", type=int, required=True, help="heartbeats a pipeline")
    parser.add_argument("--sync", choices=["everysec", "always"], required=True, help="appendfsync")
    options = parser.parse_args()
    heartbeats = beats.read(options)
    regions = sorted({beat.region for beat in heartbeats})

    with tempfile.TemporaryDirectory(prefix="redis-") as directory:
        server, client, socket = start(directory, options.sync)
        try:
            seconds = 0.0
            for window in beats.windows(heartbeats, options.window):
                protocol, count = commands(window)
                taken, said = beats.timed(send, socket, protocol)
                assert f"errors: 0, replies: {count}" in said, said
                seconds += taken
                beats.progress(f"redis: {seconds:.2f} s")

            # The strip needs to know where a video ends, which nothing in Redis tells.
            most_watched = beats.most_watched(heartbeats)
            last_sec = max(beat.end_sec for beat in heartbeats if beat.video_id == most_watched)

            def read_strip(video_id):
                pipeline = client.pipeline(transaction=False)
                for start_sec in range(0, last_sec + 1, beats.RESOLUTION):
                    bucket = range(start_sec, start_sec + beats.RESOLUTION)
                    pipeline.pfcount(*(key(video_id, region, second) for region in regions for second in bucket))
                return {bucket: viewers for bucket, viewers in enumerate(pipeline.execute()) if viewers}

            results = beats.strip_results(heartbeats, read_strip)
            info = client.info()
            size = sum(file.stat().st_size for file in Path(directory, "appendonlydir").iterdir())
            beats.report(
                f"Redis PFADD, appendfsync {options.sync}",
                f"Redis {info['redis_version']}",
                len(heartbeats),
                seconds,
                size,
                rows=client.dbsize(),
                bytes_in_memory=info["used_memory"],
                **results,
            )
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
