# The operator's image: `make image` builds it, docs/release.md says how a release does.
#
# BASE is any Debian with Python >= 3.11 as python3 and its venv. The digest is that of the tag's list of platforms, as
# of September 2026; a release names the one of its day, which `make image IMAGE_BASE=…` passes.
ARG BASE=python:3.13-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285

# The Python that the operator runs on: the base without package managers, pip and programs that change users.
FROM ${BASE} AS python
ENV PYTHONHASHSEED=0
COPY image/strip.py /tmp/
RUN python3 /tmp/strip.py && rm /tmp/strip.py

FROM ${BASE} AS builder
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
ENV PYTHONHASHSEED=0 \
    PYTHONDONTWRITEBYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_NO_CONFIG=1 \
    UV_PYTHON_DOWNLOADS=never \
    UV_SYSTEM_CERTS=1
WORKDIR /build
COPY requirements/bootstrap.lock requirements/build.lock requirements/
RUN python3 -m venv tools \
 && tools/bin/python -m pip install --quiet --no-cache-dir --no-deps --require-hashes -r requirements/bootstrap.lock \
 && tools/bin/uv pip install --quiet --python tools/bin/python --require-hashes -r requirements/build.lock

# The dependencies, which change less often than the operator itself.
COPY requirements/operator.lock requirements/
COPY image/trim.py image/
RUN tools/bin/uv venv --quiet --python "$(command -v python3)" /opt/ibpe \
 && tools/bin/uv pip install --quiet --python /opt/ibpe --require-hashes --only-binary :all: -r requirements/operator.lock \
 && tools/bin/python image/trim.py cut /opt/ibpe/lib/python3.*/site-packages \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/ibpe/lib

COPY pyproject.toml README.md LICENSE ./
COPY operator operator
ARG VERSION
RUN tools/bin/uv build --quiet --wheel --no-build-isolation --python tools/bin/python --out-dir dist \
 && tools/bin/uv pip install --quiet --python /opt/ibpe --no-deps --no-index --find-links dist \
      "imagebuilder-private-endpoint-operator==${VERSION}" \
 && tools/bin/python image/trim.py tidy /opt/ibpe \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/ibpe/lib/python3.*/site-packages/ibpe

# From nothing, so that what was taken out of the base is not in a layer below.
FROM scratch
COPY --from=python / /
COPY --from=builder /opt/ibpe /opt/ibpe
ENV PATH=/opt/ibpe/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/home/ibpe \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1
# The labels of the version, the commit and its time are options of the build (image/build.py).
LABEL org.opencontainers.image.title="imagebuilder-private-endpoint-operator" \
      org.opencontainers.image.description="Kubernetes operator that makes an AWS VPC able to run EC2 Image Builder privately, and keeps it so" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
ENTRYPOINT ["ibpe"]
CMD ["run"]
