FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package switchboard

FROM debian:12-slim
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin switchboard \
    && install --directory --mode=700 --owner=switchboard --group=switchboard /data
COPY --from=build /src/target/release/switchboard /usr/local/bin/switchboard
USER 10001
# Everything that is written is in /data: the rest may be read-only.
WORKDIR /
VOLUME /data
ENV SWITCHBOARD__STORE__URL=sqlite:/data/switchboard.db
EXPOSE 8080
# There is no curl in the image, but bash can ask.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r -t 2 line <&3 && [[ $line == *' 200 '* ]]"]
ENTRYPOINT ["switchboard"]
CMD ["serve"]
