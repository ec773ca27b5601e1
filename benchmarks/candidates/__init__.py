"""What a user would pick instead of this package, each with the interface of `efficientscn_trt.measure`."""
