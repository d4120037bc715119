"""What a cell showed, as nbformat's dicts."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode, v4


def keep_error(cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]) -> None:
    """See that a cell that did not come to a good end shows an error, and why it was stopped."""
    reply = execute_reply["content"]
    shown = {out.ename for out in cell.outputs if out.output_type == "error"}
    was_stopped = shown == {"KeyboardInterrupt"} and reply.get("ename") == "CellTimeoutError"
    if reply["status"] != "ok" and (not shown or was_stopped):
        error = {key: reply.get(key, reply["status"]) for key in ("ename", "evalue")}
        cell.outputs.append(v4.new_output("error", **error, traceback=reply.get("traceback", [])))


def plain_output(output: NotebookNode) -> dict[str, Any]:
    """An output with only what nbformat knows."""
    kind = output.output_type
    if kind == "stream":
        return {"output_type": kind, "name": str(output.name), "text": str(output.text)}
    if kind == "error":
        return {
            "output_type": kind,
            "ename": str(output.ename),
            "evalue": str(output.evalue),
            "traceback": [str(line) for line in output.traceback],
        }
    data = {
        str(mimetype): value
        for mimetype, value in output.data.items()
        if isinstance(value, str) or "json" in str(mimetype)
    }
    plain = {"output_type": kind, "data": data, "metadata": {}}
    return plain | ({"execution_count": None} if kind == "execute_result" else {})


def sentence(text: str) -> str:
    """The text with a capital letter."""
    return text[:1].upper() + text[1:]
