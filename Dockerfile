# The image of BOT GPT: packages are installed in a stage of their own, so that no installer is in what runs.
FROM python:3.11-slim AS packages
RUN python -m venv --without-pip /venv
COPY requirements-production.txt /
RUN pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check \
    --only-binary :all: --requirement /requirements-production.txt

FROM python:3.11-slim
ARG VERSION=dev
LABEL org.opencontainers.image.title="BOT GPT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.licenses="MIT"
# A number, so that an orchestrator can see that it is not root. What is installed for building goes.
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin botgpt \
    && install --directory --owner botgpt /data/media \
    && pip uninstall --yes --quiet --root-user-action ignore setuptools wheel pip
COPY --from=packages /venv /venv
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    MEDIA_ROOT=/data/media
WORKDIR /app
COPY manage.py gunicorn.conf.py ./
COPY botgpt botgpt
COPY documents documents
COPY llm llm
COPY conversations conversations
# These need no database and no secret; the values are not kept.
RUN SECRET_KEY=unused DATABASE_URL=sqlite://:memory: python manage.py collectstatic --noinput --verbosity 0 \
    && python -m compileall -q botgpt documents llm conversations
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', timeout=4)"]
CMD ["gunicorn", "--config", "gunicorn.conf.py", "botgpt.wsgi"]
