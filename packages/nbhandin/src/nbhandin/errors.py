"""The errors that nbhandin raises; each message says what, where, and what to do."""

from nbjudge.errors import NbjudgeError


class HandInError(NbjudgeError):
    """Something of the hand-in service cannot be used as it is."""


class NotTaken(NbjudgeError):
    """A file that was handed in is not taken; the message tells the student what to do."""


class NotStored(NbjudgeError):
    """A file could not be stored, by no fault of the student; the message says so."""
