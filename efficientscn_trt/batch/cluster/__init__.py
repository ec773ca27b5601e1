"""A batch on a Ray cluster: a worker for each GPU or group of cores of its nodes."""
