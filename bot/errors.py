"""Errors meant for the person at the keyboard: one clear line each, and the exit code they end with."""


class UserError(Exception):
    """Something a person can put right; the message says what is wrong and what to do, and holds no secret."""

    exit_code = 1


class UsageError(UserError):
    """A command was called in a way it does not know."""

    exit_code = 2
