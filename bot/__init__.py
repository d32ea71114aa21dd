"""Leverage: tells an engineering team how its AI compute becomes merged work."""

__version__ = "0.1.0"
