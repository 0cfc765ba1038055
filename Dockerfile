FROM docker.io/library/python:3.13-slim

# Runs as root: the workspace and the runner's output and summary files are mounted in and belong to
# root, and a user of our own could not write to them.
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

COPY requirements.txt /app/
# Wheels only, so that no compiler is needed and nothing of a package runs while it is installed.
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
    --only-binary :all: --require-hashes --no-deps -r /app/requirements.txt

COPY entrypoint.py /app/
COPY gc /app/gc
RUN python -m compileall -q /app/gc

# Exec form: a shell would drop variables with a hyphen, such as INPUT_KEEP-DAYS.
ENTRYPOINT ["python", "/app/entrypoint.py"]
