"""The steps of `gpu_check.py`. Each runs in its own process, so a crash or a hang costs only one step."""
