"""`python -m efficientscn_trt.cli`, the same as `efficientscn-trt`."""

from . import main

main()
