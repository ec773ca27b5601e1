# efficientscn-trt on an NVIDIA GPU. docs/how-to/containers.md says how to build and run it.

ARG CUDA_VERSION=13.0.2

FROM docker.io/nvidia/cuda:${CUDA_VERSION}-devel-ubuntu24.04 AS build
# The packages of an Ubuntu release keep their interfaces, and their older versions leave the archive.
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends g++ python3-dev python3-venv \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/efficientscn-trt
# A requirement of pip.
ARG TENSORRT=tensorrt-cu13==11.4.0.106
RUN /opt/efficientscn-trt/bin/pip install --no-cache-dir "$TENSORRT"
COPY . /src
# Extras of the package, separated by commas, such as "export".
ARG EXTRAS=""
RUN /opt/efficientscn-trt/bin/pip install --no-cache-dir --constraint /src/tests/constraints.txt \
    -C cmake.define.ESCN_CUDA=ON "/src${EXTRAS:+[$EXTRAS]}"

# The package has the CUDA runtime linked in, so nothing of the toolkit is needed.
FROM docker.io/library/ubuntu:24.04
# `demo` downloads with the certificates.
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/*
# A container often runs as a user that the image does not know.
RUN install -d -m 1777 /cache /data
COPY --from=build /opt/efficientscn-trt /opt/efficientscn-trt
ENV HOME=/cache PATH=/opt/efficientscn-trt/bin:$PATH
# What the NVIDIA Container Toolkit gives the container: all GPUs of `--gpus`, CUDA and nvidia-smi.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 1000:1000
WORKDIR /data
ENTRYPOINT ["efficientscn-trt"]
CMD ["--help"]
