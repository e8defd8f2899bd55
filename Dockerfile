# Two images: `postgres`, a Postgres with the hll extension, and `heatstrip`, the one binary.

FROM postgres:15-bookworm AS postgres
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-15-hll \
    && rm -rf /var/lib/apt/lists/*

FROM rust:1.95-bookworm AS build
WORKDIR /heatstrip
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY sql sql
COPY web web
# They are not built, but cargo builds nothing of a manifest whose benches are missing.
COPY benches benches
RUN cargo build --release --locked

FROM debian:bookworm-slim AS heatstrip
# curl is for the health check, the certificates are for `replay --to https://...`.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system heatstrip
COPY --from=build /heatstrip/target/release/heatstrip /usr/local/bin/heatstrip
USER heatstrip
ENTRYPOINT ["heatstrip"]
CMD ["serve"]
