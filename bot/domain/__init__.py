"""What Leverage knows, as plain values and pure functions: standard library only, no I/O, `now` is an argument."""
