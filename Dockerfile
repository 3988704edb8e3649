# syntax=docker/dockerfile:1
# Secrets come at run time, by environment or by files named in *_FILE variables; none is baked in.

FROM python:3.11-slim-bookworm AS wheel
WORKDIR /src
COPY pyproject.toml setup.cfg MANIFEST.in README.md LICENSE ./
COPY twisted twisted
COPY mythos mythos
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim-bookworm AS install
RUN python -m venv /opt/mythos
COPY --from=wheel /wheels /wheels
RUN /opt/mythos/bin/pip install --no-cache-dir /wheels/*.whl
# Writes Twisted's plugin cache now: the user that runs the server may not write here.
RUN /opt/mythos/bin/twistd --help > /dev/null

FROM python:3.11-slim-bookworm AS run
RUN useradd --system --uid 10001 --no-create-home --home-dir /var/lib/mythos mythos \
    && install -d -o mythos -g mythos -m 0700 /var/lib/mythos
COPY --from=install /opt/mythos /opt/mythos
ENV PATH=/opt/mythos/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER mythos
WORKDIR /var/lib/mythos
VOLUME /var/lib/mythos
# Telnet, and HTTP with the web client. Metrics (9090) stay on the container's loopback unless told otherwise.
EXPOSE 4000 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
CMD ["twistd", "--nodaemon", "--pidfile=", "mythos", "--public", "--data", "/var/lib/mythos"]
