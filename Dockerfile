# Runners build this file with Docker's classic builder, so it must do without BuildKit's syntax.
# What is built from is the same for every platform: BASE is an index of images.
ARG BASE=docker.io/library/python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

# Of the machine that builds. For an image of another platform, its own image of BASE is given here:
# then nothing runs that would need emulation.
ARG BUILDER=${BASE}

# Of the platform that the image is for: only copied from, nothing runs in it.
FROM ${BASE} AS base

FROM ${BUILDER} AS build
WORKDIR /image/app
COPY requirements.txt /
# Wheels only: no compiler is needed and nothing of a package runs while it is installed. What is
# compiled in them is for this machine, and only makes them quicker: without it they are pure Python.
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --no-compile \
        --only-binary :all: --require-hashes --no-deps --target gc -r /requirements.txt \
    && rm -rf gc/bin \
    && find gc -name '*.so' -delete
COPY entrypoint.py ./
COPY gc gc
RUN python -m compileall -q --invalidation-mode unchecked-hash gc
COPY --from=base / /image/
# No installer, and no program that gives its caller the rights of another user.
RUN cd /image/usr/local \
    && rm -rf bin/pip* bin/idle* include lib/python3*/site-packages/* lib/python3*/ensurepip \
        lib/python3*/idlelib lib/python3*/tkinter lib/python3*/turtledemo \
    && find /image -xdev -type f -perm /6000 -exec chmod a-s {} +

FROM scratch
COPY --from=build /image/ /
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
LABEL org.opencontainers.image.title="registry-gc" \
    org.opencontainers.image.description="Removes old tags and unreachable manifests from a Gitea container registry, and never breaks an image that stays" \
    org.opencontainers.image.source="https://gitea.com/registry-gc/registry-gc" \
    org.opencontainers.image.licenses="MIT"
# As root, for a runner's workspace and its output and summary files belong to root. Where none of
# these is mounted, it runs as any user: `docker run --user 65532 --read-only`.
# Exec form: a shell would drop variables with a hyphen, such as INPUT_KEEP-DAYS.
ENTRYPOINT ["python", "/app/entrypoint.py"]
