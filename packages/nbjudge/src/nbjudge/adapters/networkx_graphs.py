"""networkx graphs: nodes and edges with what is written on them."""

from __future__ import annotations

from typing import Any

import networkx as nx

_KINDS = {kind.__name__: kind for kind in (nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph)}


def pack(value: Any) -> list[Any] | None:
    """The kind, and what it holds, in the order in which it was put in."""
    kind = type(value)
    if _KINDS.get(kind.__name__) is not kind:
        return None
    keys = {"keys": True} if value.is_multigraph() else {}
    nodes = [(node, dict(data)) for node, data in value.nodes(data=True)]
    return [kind.__name__, dict(value.graph), nodes, list(value.edges(data=True, **keys))]


def unpack(parts: Any) -> Any:
    """The graph."""
    name, attributes, nodes, edges = parts
    made = _KINDS[name](**{str(key): item for key, item in attributes.items()})
    made.add_nodes_from(nodes)
    made.add_edges_from(edges)
    return made


def update(old: Any, new: Any) -> None:
    """Give the graph the other one's nodes and edges."""
    old.clear()
    old.graph.update(new.graph)
    old.update(new)
