# Sourced by the benchmarks that drive a whole service: a Postgres of its own with fsync on, migrated, and `heatstrip serve`
# on it. Gives $url, $DATABASE_URL, psql and measured; all of it ends with the script. The caller names itself in $name.
bin=${PG_BIN:-$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)}
heatstrip=${HEATSTRIP_BINARY:-../../target/release/heatstrip}
data=$(mktemp -d "/tmp/heatstrip-$name-XXXXXX")
port=${PGPORT:-$((20000 + RANDOM % 10000))}
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi; }
[ "$(id -u)" = 0 ] && chown postgres "$data"
as "$bin/initdb" --pgdata "$data/pg" --auth trust --no-instructions >/dev/null
as "$bin/pg_ctl" --pgdata "$data/pg" --silent --wait --log "$data/log" start \
  -o "-p $port -k $data -c listen_addresses=127.0.0.1 -c shared_buffers=1GB -c max_wal_size=8GB -c checkpoint_timeout=15min -c work_mem=64MB"
serving=
end() {
  [ -n "$serving" ] && kill "$serving" 2>/dev/null || true
  as "$bin/pg_ctl" --pgdata "$data/pg" --silent --mode fast stop || true
  rm -rf "$data"
}
trap end EXIT
user=$([ "$(id -u)" = 0 ] && echo postgres || id -un)
export DATABASE_URL="postgresql://$user@127.0.0.1:$port/postgres"
psql() { "$bin/psql" --quiet --no-psqlrc -v ON_ERROR_STOP=1 "$DATABASE_URL" "$@"; }
"$heatstrip" migrate
"$heatstrip" serve --listen "127.0.0.1:0" >"$data/serve.log" 2>&1 &
serving=$!
until grep -q '^listening' "$data/serve.log"; do sleep 0.1; done
url=$(sed -n 's/^listening on //p' "$data/serve.log")

# Seconds of CPU that the server and Postgres have taken so far.
cpu() {
  local postmaster ticks=0 pid
  postmaster=$(head -1 "$data/pg/postmaster.pid")
  for pid in "$serving" "$postmaster" $(pgrep -P "$postmaster"); do
    ticks=$((ticks + $(awk '{print $14 + $15}' "/proc/$pid/stat" 2>/dev/null || echo 0)))
  done
  echo "$ticks"
}
# Runs a command; says what it printed and how much CPU server and Postgres took for it, the load generator apart.
measured() {
  local before after
  before=$(cpu)
  "$@"
  after=$(cpu)
  echo "  CPU of server and Postgres: $(((after - before) * 10)) ms"
}

