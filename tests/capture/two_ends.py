"""A value at one end, and what comes of it at the other."""

from __future__ import annotations

from nbjudge.capture import FunctionTable, Link, RemoteFunction, decode, encode, perform_call

LIMIT = 50_000_000


def crossed(value):
    return decode(encode(value, limit=LIMIT), limit=LIMIT)


class Notebook:
    """The two ends of functions, with the bytes between them."""

    def __init__(self):
        self.table = FunctionTable()
        self.refs = []
        self.link = Link(self.send, limit=LIMIT)
        self.table.ask = self.link.answer

    def send(self, ref, request):
        self.refs.append(ref)
        return perform_call(self.table, ref, request, limit=LIMIT)

    def hand_out(self, value, prefix="test_a/f"):
        data = encode(value, limit=LIMIT, functions=self.table.under(prefix))
        return decode(data, limit=LIMIT, hooks=self.link.hooks())

    def make(self, facts):
        return RemoteFunction(facts, self.send, limit=LIMIT, link=self.link)
