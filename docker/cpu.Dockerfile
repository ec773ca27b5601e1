# efficientscn-trt on a CPU. docs/how-to/containers.md says how to build and run it.

FROM docker.io/library/debian:trixie-slim AS build
# The packages of a Debian release keep their interfaces, and their older versions leave the archive.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ python3-dev python3-venv \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/efficientscn-trt
COPY . /src
# Extras of the package, separated by commas, such as "export".
ARG EXTRAS=""
RUN /opt/efficientscn-trt/bin/pip install --no-cache-dir --constraint /src/tests/constraints.txt \
    -C cmake.define.ESCN_CUDA=OFF "/src${EXTRAS:+[$EXTRAS]}"

FROM docker.io/library/debian:trixie-slim
# `demo` downloads with the certificates.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/*
# A container often runs as a user that the image does not know.
RUN install -d -m 1777 /cache /data
COPY --from=build /opt/efficientscn-trt /opt/efficientscn-trt
ENV HOME=/cache PATH=/opt/efficientscn-trt/bin:$PATH
USER 1000:1000
WORKDIR /data
ENTRYPOINT ["efficientscn-trt"]
CMD ["--help"]
