"""Values that cross from the student's process to the judge's as bytes that cannot run.

The student's process encodes (``encode``) and keeps the functions (``FunctionTable``,
``perform_call``); the judge's decodes (``decode``) and calls (``RemoteFunction``). The formats
are in ``codec`` and ``calls``.
"""

from nbjudge.capture.calls import call_request, perform_call
from nbjudge.capture.codec import decode, encode
from nbjudge.capture.errors import Damaged, NotHandedOut
from nbjudge.capture.functions import FunctionFacts, FunctionTable, ParameterFacts
from nbjudge.capture.link import Link
from nbjudge.capture.remote import RemoteFunction

__all__ = [
    "Damaged",
    "FunctionFacts",
    "FunctionTable",
    "Link",
    "NotHandedOut",
    "ParameterFacts",
    "RemoteFunction",
    "call_request",
    "decode",
    "encode",
    "perform_call",
]
