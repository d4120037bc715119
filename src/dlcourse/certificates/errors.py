"""What can go wrong, in words for whoever issues certificates."""


class CertificateError(Exception):
    """Something that the reader of the message can mend: it says what, where, and what to do."""
