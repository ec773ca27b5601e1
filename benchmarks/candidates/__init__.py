"""What a user would pick instead of this package, with the interface of `measure.candidate`."""
