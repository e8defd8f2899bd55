"""Redis as a write-back cache of counters: INCR a view, and a flush to Postgres each second. Then Redis is killed.

Sends views as fast as `--clients` threads get their answers and flushes beside them for `--seconds`, then kills the server
with signal 9 half way to the next flush, and says how many of the answered views are not in Postgres.
"""
import argparse
import random
import subprocess
import tempfile
import threading
import time

import psycopg
import redis

FLUSH = "UPDATE flushed SET views = flushed.views + f.views FROM unnest(%s::bigint[], %s::bigint[]) AS f (id, views) WHERE flushed.id = f.id"


def flush(client, connection):
    """Moves what was counted since the last flush; a crash between the two lines that do so loses it."""
    keys = [key for key in client.scan_iter("post:*:views", count=10_000)]
    if not keys:
        return
    taken = client.pipeline(transaction=False)
    for key in keys:
        taken.getdel(key)
    counts = {int(key.split(b":")[1]): int(value) for key, value in zip(keys, taken.execute()) if value}
    with connection.transaction():
        connection.execute(FLUSH, [list(counts), list(counts.values())])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--posts", type=int, required=True)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--clients", type=int, default=16)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="redis-") as directory:
        socket = f"{directory}/socket"
        server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", directory],
                                  stdout=subprocess.DEVNULL)
        client = redis.Redis(unix_socket_path=socket)
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
        answered = [0] * options.clients

        def view(number):
            own = redis.Redis(unix_socket_path=socket)
            chance = random.Random(number)
            while True:
                try:
                    own.incr(f"post:{int(options.posts ** chance.random())}:views")
                except redis.ConnectionError:
                    return
                answered[number] += 1

        threads = [threading.Thread(target=view, args=[number]) for number in range(options.clients)]
        with psycopg.connect(options.dsn, autocommit=True) as connection:
            for thread in threads:
                thread.start()
            for _ in range(options.seconds):
                time.sleep(1)
                flush(client, connection)
            # Half way to the next flush.
            time.sleep(0.5)
            server.kill()
            server.wait()
            for thread in threads:
                thread.join()
            kept = connection.execute("SELECT sum(views) FROM flushed").fetchone()[0]
        views = sum(answered)
        print(f"{views - kept} of {views} answered views were lost with Redis")


if __name__ == "__main__":
    main()
