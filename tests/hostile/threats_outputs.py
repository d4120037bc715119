"""Scripts, escapes and odd things in what is shown."""

from hostile_course import by_id, cell
from hostile_threat import harmless, right_but

SCRIPT = "<script>window.stolen = 1</script>"
HTML = f"""
from IPython.display import HTML, SVG, Javascript, IFrame, Markdown, Latex, JSON, display
bad = {SCRIPT!r} + "<img src=x onerror=alert(1)><svg onload=alert(1)>"
bad += "<iframe srcdoc='<script>1</script>'>"
bad += "<a href='javascript:alert(1)'>x</a><style>@import 'x'</style><form action=//x><button>"
bad += "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math><base href=//x>"
display(HTML(bad))
links = "\\n[x](javascript:alert(1)) ![x](javascript:alert(1))\\n"
display(Markdown(bad + links + "```mermaid\\n" + bad + "\\n```"))
display(Latex(bad), JSON({{"x": bad}}))
display(Javascript("window.stolen = 1"))
display({{"image/svg+xml": "<svg onload=alert(1)><script>1</script></svg>"}}, raw=True)
display({{"application/javascript": "alert(1)", "text/javascript": "alert(1)"}}, raw=True)
display({{"application/vnd.jupyter.widget-view+json": {{"model_id": bad}}}}, raw=True)
display({{"application/vnd.mermaid": bad, "text/vnd.mermaid": bad}}, raw=True)
display({{"image/png": 'x" onerror="alert(1)', "text/plain": bad}}, raw=True)
display({{"image/jpeg": 'x"><script>alert(1)</script>', "text/plain": bad}}, raw=True)
display({{"image/png": "x", "x-" + bad: bad}}, raw=True)
display({{"text/plain": bad}}, metadata={{"text/plain": {{"width": bad}}, bad: bad}}, raw=True)
print(bad)
import sys
print(bad, file=sys.stderr)
"""
FIGURE = f"""
import matplotlib.pyplot as plt
bad = {SCRIPT!r} + "$x$"
plt.figure(num=bad)
plt.plot([1, 2], label=bad)
plt.title(bad.replace("$", ""))
plt.legend()
plt.gcf().set_label(bad)
plt.show()
"""
MARKDOWN = (
    f"{SCRIPT}\n\n<img src=x onerror=alert(1)>\n\n[x](javascript:alert(1)) "
    "![x](attachment:a.png) ![y](x\" onerror=\"alert(1)) <svg onload=alert(1)>\n\n"
    f"```mermaid\ngraph TD; A[\"{SCRIPT}\"]; click A \"javascript:alert(1)\"\n```\n\n"
    f"$${SCRIPT}$$\n\n"
    "<!--><script>alert(1)</script>-->\n\n`<script>alert(1)</script>`\n"
)  # fmt: skip
NAMED = (
    "class Bad(Exception): pass\nBad.__name__ = Bad.__qualname__ = '" + SCRIPT + "'\n"
    "def square(n):\n    raise Bad('" + SCRIPT + "\\x1b[31m\\x1b]0;title\\x07')\n"
    "square.__name__ = square.__qualname__ = '" + SCRIPT + "'"
)
TERMINAL = "print('\\x1b[31m red \\x1b]0;title\\x07 \\x1b[2J \\x9b31m \\r\\b\\b')"
SURROGATES = "print('\\udcff \\ud800')\ndisplay('\\udcff')\nraise ValueError('\\udcff')"


def markdown_cells(notebook) -> None:
    item = by_id(notebook, "notes")
    item["source"] = MARKDOWN
    item["attachments"] = {
        "a.png": {'image/png" onerror="alert(1)': 'x"><script>alert(1)</script>'},
    }
    raw = cell("raw", "raw", MARKDOWN)
    raw["metadata"] = {"format": "text/html", "raw_mimetype": "text/html"}
    notebook["cells"].append(raw)
    notebook["metadata"].update(title=SCRIPT, authors=[{"name": SCRIPT}])


def odd_attachments(notebook) -> None:
    attachments = {"a.png": {"image/png": ["x"]}, "b.png": {}, "\ud800": {"image/png": "<"}}
    text = "![x](attachment:a.png) ![x](attachment:b.png) ![x](attachment:missing.png)"
    by_id(notebook, "notes").update(attachments=attachments, source=text)


def script_in_names(notebook) -> None:
    notebook["metadata"]["kernelspec"] = {"name": SCRIPT, "display_name": SCRIPT}
    notebook["metadata"]["language_info"] = {"name": SCRIPT, "pygments_lexer": SCRIPT}


def show_no_active_part(graded) -> None:
    graded.assert_feedback_is_inert()


def terminal_is_safe(graded) -> None:
    show_no_active_part(graded)
    told = str([cell.message for cell in graded.record.cells])
    assert not {"\x1b", "\x07", "\x9b"} & set(told)
    assert "\\x1b" not in told


def has_a_page(graded) -> None:
    assert "Tasks" in graded.feedback


FORGED_OUTPUTS = """
kernel = get_ipython().kernel
parent, send = kernel.get_parent("shell"), kernel.session.send
bad = "<script>window.stolen = 1</script>"
png = {"image/png": "x\\" onerror=\\"alert(1)", "text/html": bad, "x": bad}
content = {"data": png, "metadata": {"image/png": {"width": bad}}}
send(kernel.iopub_socket, "display_data", content, parent=parent)
send(kernel.iopub_socket, "error", {"ename": bad, "evalue": bad, "traceback": [bad]}, parent=parent)
send(kernel.iopub_socket, "stream", {"name": bad, "text": bad}, parent=parent)
"""

THREATS = {
    "html": harmless(
        "scripts in every kind of output",
        last=HTML,
        check=show_no_active_part,
        stock_shows="script",
    ),
    "figure": harmless("scripts in a figure's texts", last=FIGURE, check=show_no_active_part),
    "markdown": harmless(
        "scripts in text cells and attachments", change=markdown_cells, check=show_no_active_part
    ),
    "attachments": harmless("attachments of no kind", change=odd_attachments, check=has_a_page),
    "names": harmless(
        "scripts as names of errors and functions",
        answers=right_but(square=NAMED),
        score=6.0,
        check=terminal_is_safe,
    ),
    "kernelspec-names": harmless(
        "scripts as names of the kernel", change=script_in_names, check=show_no_active_part
    ),
    "forged-outputs": harmless(
        "scripts in outputs of its own making", last=FORGED_OUTPUTS, check=show_no_active_part
    ),
    "terminal": harmless("commands to a terminal", last=TERMINAL, check=show_no_active_part),
    "surrogates": harmless("texts that no file can hold", last=SURROGATES),
    # What is only unusual must not cost anything.
    "display-handles": harmless(
        "shows something, and changes it in a later cell",
        "shown = display('one', display_id=True)",
        "shown.update('two')\ndisplay('three')",
    ),
    "clears": harmless(
        "clears its output",
        last="from IPython.display import clear_output\nfor n in range(50):\n"
        "    clear_output(wait=n % 2 == 0)\n    print(n)",
    ),
    "asks": harmless("asks for input", last="input('?')"),
    "magics": harmless(
        "magics", "%matplotlib inline\n%time 1\n!echo hello", "%%time\nx = !ls\nawaited = 1"
    ),
    "resets": harmless("forgets all its names at the end", last="%reset -f"),
    "waits": harmless("await", last="import asyncio\nawait asyncio.sleep(0)"),
    "widgets": harmless(
        "comms, as widgets open them",
        last="from comm import create_comm\n"
        "state = {'_model_module': '@jupyter-widgets/output', '_model_name': 'OutputModel'}\n"
        "made = create_comm('jupyter.widget', {'state': {**state, 'msg_id': '', 'outputs': []}})\n"
        "made.send({'method': 'update', 'state': {'msg_id': 'x'}})\n"
        "create_comm('unknown', {})\nprint('shown')",
    ),
}
