"""`python -m efficientscn_trt` is the command line, as `efficientscn-trt` is."""

from .cli import main

main()
