"""The steps of `gpu_check.py`, each in a process of its own: a crash or a hang costs one step."""
