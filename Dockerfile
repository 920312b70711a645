# One image for every Nabd process; the command says which one.

FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY constraints.txt ./
# Every wheel is checked against its hash here; what follows takes wheels from this directory alone.
RUN python -m pip wheel --no-cache-dir --no-deps --require-hashes --wheel-dir /wheels -r constraints.txt
COPY pyproject.toml README.md LICENSE ./
COPY nabd nabd
COPY api api
COPY ingest ingest
COPY rules rules
COPY alerts alerts
COPY notify notify
COPY work work
COPY people people
COPY readings readings
COPY firmware_sim firmware_sim
COPY devices devices
COPY store store
# Without the [test] extra: tools of the tests stay behind with /wheels. With what settings alone ask for.
RUN python -m venv /opt/nabd \
    && /opt/nabd/bin/pip install --no-cache-dir --no-index --find-links /wheels '.[fast,mavlink,nats,otel]' \
    && /opt/nabd/bin/pip check
# For any processor of the architecture; every container reads it from here, and none has to compile.
RUN /opt/nabd/bin/python -m devices.compiled.build /opt/nabd/share/nabd \
    devices.wire.compiled rules.context.compiled

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/nabd --create-home nabd \
    && install --directory --owner nabd /var/lib/nabd/audit /var/lib/nabd/firmware /var/lib/nabd/photos \
        /var/lib/nabd/tls /var/lib/nabd/broker-files \
    && install --directory --owner nabd --mode 0700 /var/lib/nabd/backups
COPY --from=build /opt/nabd /opt/nabd
ENV PATH=/opt/nabd/bin:$PATH PYTHONUNBUFFERED=1 NABD_DATA_DIR=/var/lib/nabd
USER nabd
WORKDIR /var/lib/nabd
ENTRYPOINT ["nabd"]
CMD ["--help"]
