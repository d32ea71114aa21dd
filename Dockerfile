# Two stages: the first installs, with hashes, what the second runs. Run it with `--init --read-only --cap-drop ALL
# --tmpfs /tmp` and a volume at /data; it needs no root, no shell and no other writable place.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/leverage
WORKDIR /src
COPY requirements.lock ./
RUN /opt/leverage/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml LICENSE ./
COPY bot bot
COPY integrations integrations
COPY templates templates
RUN /opt/leverage/bin/pip install --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home leverage && install -d -o leverage -g leverage /data
COPY --from=build /opt/leverage /opt/leverage
ENV PATH=/opt/leverage/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=8080 \
    DATABASE_URL=sqlite:////data/leverage.db
USER leverage
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=2s --start-period=20s CMD ["python", "-c", \
    "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=2)"]
CMD ["leverage", "serve", "--host", "0.0.0.0"]
