"""Whatever bytes come, decoding gives a value or ``Damaged``, soon, and without much memory."""

from __future__ import annotations

import collections
import functools
import json
import random
import struct
import time
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from nbjudge.capture import Damaged, FunctionTable, decode, encode
from nbjudge.capture.tree import FAMILY_OF_TAG

LIMIT = 20_000_000


def message(node, *buffers, lengths=None):
    lengths = [len(b) for b in buffers] if lengths is None else lengths
    text = json.dumps([node, lengths]).encode()
    return b"nbj1" + struct.pack(">I", len(text)) + text + b"".join(buffers)


def outcome(data):
    """The value or ``Damaged``; fails for any other exception."""
    try:
        return decode(data, limit=LIMIT, make_function=lambda facts: facts)
    except Damaged as damaged:
        return damaged


def rich_value():
    return {
        "plain": [1, 2.5, "text", b"bytes", None, (1, {2}), range(3), 2**70, "ä" * 600],
        "many": [float(i) for i in range(50)],
        "array": np.arange(6, dtype="int16").reshape(2, 3),
        "words": np.array(["ab", "c"]),
        "objects": np.array([1, "x"], dtype=object),
        "table": pd.DataFrame(
            {
                "a": [1, 2],
                "b": ["x", None],
                "c": pd.Categorical(["u", "v"]),
                "d": pd.array([1, None], dtype="Int64"),
                "e": pd.to_datetime(["2020", "2021"]).tz_localize("UTC"),
                "f": pd.array(["x", None], dtype="string"),
                "g": pd.cut([1.0, 2.0], 2),
            },
            index=pd.MultiIndex.from_tuples([("p", 1), ("q", 2)], names=["m", "n"]),
        ),
        "moment": pd.Timestamp("2020", tz="Europe/Berlin"),
        "function": len,
        "point": collections.namedtuple("Point", "x y")(1, 2),
    }


VALID = encode(rich_value(), limit=LIMIT, functions=FunctionTable())


@given(st.binary(max_size=200))
@examples(100)
def test_random_bytes(data):
    assert isinstance(outcome(data), Damaged)
    outcome(b"nbj1" + data)
    outcome(b"nbj1" + struct.pack(">I", len(data)) + data)


def test_valid_bytes_that_were_altered():
    chance = random.Random(1)
    for _ in range(400):
        data = bytearray(VALID)
        for _ in range(chance.choice((1, 1, 1, 5))):
            action = chance.randrange(4)
            at = chance.randrange(len(data))
            if action == 0:
                data[at] ^= 1 << chance.randrange(8)
            elif action == 1:
                data[at] = chance.choice(b'0123456789"[]{},:-eE')
            elif action == 2:
                del data[at : at + chance.randrange(1, 9)]
            else:
                data[at:at] = data[chance.randrange(len(data)) :][: chance.randrange(20)]
        outcome(bytes(data))
    for cut in range(0, len(VALID), 97):
        assert isinstance(outcome(VALID[:cut]), Damaged)


def test_nodes_that_were_altered():
    """Other tags, numbers, and parts put in each other's place, within sound JSON."""
    chance = random.Random(2)
    (length,) = struct.unpack(">I", VALID[4:8])
    text, rest = VALID[8 : 8 + length], VALID[8 + length :]
    odd = [None, True, -1, 0, 1, 2**31, 10**18, 10**30, 0.5, 1e308, "", "a", [], {}, ["ref", 0]]
    odd += [["list", []], ["text", 0], ["array", "<f8", [1], 0], "Int64", "<U9", "pytz", "-", "q"]
    tags = sorted(FAMILY_OF_TAG)
    for _ in range(1500):
        node, lengths = json.loads(text)
        places = []
        stack = [node]
        while stack:
            part = stack.pop()
            items = part.items() if isinstance(part, dict) else enumerate(part)
            for key, item in items:
                places.append((part, key))
                if isinstance(item, (list, dict)):
                    stack.append(item)
        for _ in range(chance.choice((1, 1, 3))):
            part, key = chance.choice(places)
            is_tag = key == 0 and isinstance(part[key], str)
            part[key] = chance.choice(tags) if is_tag else chance.choice(odd)
            if chance.random() < 0.2:
                other, name = chance.choice(places)
                part[key] = other[name] if not isinstance(other[name], (list, dict)) else part[key]
        if chance.random() < 0.2:
            chance.shuffle(lengths)
        new = json.dumps([node, lengths]).encode()
        outcome(b"nbj1" + struct.pack(">I", len(new)) + new + rest)


@given(
    st.sampled_from(sorted(FAMILY_OF_TAG.keys() - {"model", "layer", "keras", "tensor"})),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    ).flatmap(lambda one: st.lists(st.just(one), max_size=6)),
)
@examples(500)
def test_any_tag_with_anything(tag, rest):
    if tag not in ("history", "tf_dtype", "figure", "axes"):
        outcome(message([tag, *rest], b"12345678"))


def doubling(tag, depth):
    """``depth`` lists, each of which holds the one before twice: 2**depth values."""
    node = [tag, [1]] if tag != "dict" else ["dict", [1, 1]]
    for number in range(depth):
        pair = [node, ["ref", number]]
        node = [tag, pair] if tag != "dict" else ["dict", [1, pair[0], 2, pair[1]]]
    return node


BOMBS = {
    "references that double": message(doubling("list", 40)),
    "dicts that double": message(doubling("dict", 30)),
    "an array that says too much": message(["array", "<f8", [10**6, 10**6], 0], b"12345678"),
    "an array of nothing": message(["array", "<U0", [10**12], 0], b""),
    "an array without end": message(["array", "<f8", [0, 2**61, 2**61], 0], b""),
    "a dtype of a gigabyte": message(["array", "<U300000000", [1], 0], b"1234"),
    "objects in an array": message(["array", "|O", [1], 0], b"12345678"),
    "fields in an array": message(["array", "i4,i4", [1], 0], b"12345678"),
    "a dimension that is none": message(["array", "<f8", [True], 0], b"12345678"),
    "a negative dimension": message(["array", "<f8", [-1, -1], 0], b"12345678"),
    "a character that is none": message(["array", "<U1", [1], 0], b"\xff\xff\xff\x7f"),
    "a bool that is none": message(["array", "|b1", [1], 0], b"\x07"),
    "a range": message(["range", 0, 10**15, 1]),
    "a range that is long by its step": message(["range", 10**30, 0, -1]),
    "an index": message(["range_index", None, 0, 10**15, 1]),
    "a column as long as an index": message(
        [
            "series",
            None,
            ["range_index", None, 0, 9_999_999, 1],
            ["plain", ["array", "<f8", [1], 0]],
        ],
        b"12345678",
    ),
    "a table of rows without columns": message(
        ["frame", ["range_index", None, 0, 10**9, 1], ["range_index", None, 0, 1, 1], []]
    ),
    "an integer": message(["int", "0x" + "f" * 5_000_000]),
    "an integer in JSON": b"nbj1"
    + struct.pack(">I", 5_000_005)
    + b"["
    + b"9" * 5_000_000
    + b",[]]",
    "a decimal": message(["decimal", "1e999999999"]),
    "a span": message(["timedelta", 10**30, 0, 0]),
    "depth": b"nbj1" + struct.pack(">I", 200_000) + b"[" * 200_000,
    "depth of nodes": message(functools.reduce(lambda n, _: ["list", [n]], range(300), 1)),
    "lists": b"nbj1" + struct.pack(">I", 15_000_001) + b"[" + b"[],[],[],[]," * 1_250_000,
    "a tree that is too long": b"nbj1" + struct.pack(">I", 2**32 - 1) + b"[]",
    "a buffer counted twice": message(["bytes", 0], b"ab", lengths=[2, 0, 2]),
    "a negative buffer": message(["bytes", 0], b"ab", lengths=[4, -2]),
    "a buffer that is no number": message(["bytes", True], b"ab"),
    "a million buffers": message(["list", []], b"", lengths=[0] * 1_000_000),
    "a buffer for many": message(["list", [["bytes", 0]] * 100_000], b"x" * 10**6),
    "an array for many": message(
        ["list", [["array", "|u1", [10**6], 0]] + [["masked", ["ref", 0], ["ref", 0]]] * 100_000],
        b"\0" * 10**6,
    ),
    "a list as key": message(["dict", [["list", []], 1]]),
    "a key without value": message(["dict", [1]]),
    "keys twice": message(["dict", [1, 1, 1.0, 2]]),
    "fields": message(["named", "P", [f"f{i}" for i in range(100_000)], []]),
    "a field that is code": message(["named", "P", ["x): pass\nimport os#"], [1]]),
    "a name that is code": message(["named", "P(): pass\nimport os#", ["x"], [1]]),
    "a private field": message(["named", "P", ["__class__"], [1]]),
    "a zone outside": message(["zone", "../../etc/passwd"]),
    "a zone outside for pytz": message(["zone", "a/../../x", "pytz"]),
    "a function from nowhere": message(["import", "os", "system"]),
    "a function of the notebook's": message(["own", "x"]),
    "an argument": message(["arg", 0]),
    "a class": message(["class", "numpy.load"]),
    "a dtype that is none": message(["dtype", "O"]),
    "a reference forward": message(["list", [["ref", 0], ["list", []]]]),
    "a reference to itself": message(["list", [["ref", 0]]]),
    "a bad text": message(["text", 0], b"\xff\xfe"),
    "a frequency": message(["index", None, "10" * 99 + "s", ["plain", ["array", "<i8", [1], 0]]]),
    "a tag that is none": message(["os.system", "true"]),
    "no tag": message([]),
    "an object": message({"a": 1}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name):
    tracemalloc.start()
    started = time.process_time()
    try:
        result = outcome(BOMBS[name])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(result, Damaged), result
    assert time.process_time() - started < 5
    assert peak < 400_000_000


def test_keys_with_one_hash_are_not_slow():
    numbers = [["int", hex(i * (2**61 - 1))] for i in range(1, 30_000)]
    for tag in ("set", "frozenset"):
        started = time.process_time()
        assert isinstance(outcome(message([tag, numbers])), Damaged)
        assert time.process_time() - started < 5
    pairs = [part for number in numbers for part in (number, 0)]
    assert isinstance(outcome(message(["dict", pairs])), Damaged)
    honest = {float(i) for i in range(5000)} | {(i, i) for i in range(5000)}
    assert decode(encode(honest, limit=LIMIT), limit=LIMIT) == honest


def test_too_much_is_refused():
    with pytest.raises(Damaged, match="more than"):
        decode(encode(b"x" * 1000, limit=LIMIT), limit=500)


def test_a_function_needs_someone_to_call_it():
    with pytest.raises(Damaged):
        decode(encode(print, limit=LIMIT, functions=FunctionTable()), limit=LIMIT)


def test_facts_of_a_function_that_are_made_up():
    sound = {
        "ref": "f",
        "name": "f",
        "qualname": "f",
        "doc": None,
        "parameters": [["x", "KEYWORD_ONLY", True, True, 1]],
        "is_class": False,
    }
    assert outcome(message(["function", sound])).name == "f"
    for key, odd in [
        ("ref", 1),
        ("name", None),
        ("doc", ["x"]),
        ("parameters", [["x y", "KEYWORD_ONLY", True, True, 1]]),
        ("parameters", [["x", "os", True, True, 1]]),
        ("parameters", [["x", "KEYWORD_ONLY", True, True, {"a": 1}]]),
        ("parameters", [["x", "KEYWORD_ONLY", True, True, [[1]]]]),
        ("parameters", [["x", "KEYWORD_ONLY", True, True, 1]] * 1000),
    ]:
        assert isinstance(outcome(message(["function", {**sound, key: odd}])), Damaged)
