"""What can go wrong, in words for whoever issues certificates."""

from nbjudge.errors import NbjudgeError


class CertificateError(NbjudgeError):
    """Something that the reader of the message can fix: it says what, where, and what to do."""
