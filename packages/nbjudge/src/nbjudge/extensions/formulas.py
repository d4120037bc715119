"""Formulas as MathML, which browsers draw by themselves: nothing is loaded, and nothing can run."""

from __future__ import annotations

import re

import nh3
from latex2mathml.converter import convert

_LONGEST = 2_000
# A formula that defines its own commands can be longer than any computer when they are put in.
_DEFINES = re.compile(r"\\([gex]?def|let|(new|renew|provide)\w+|Declare\w+|require|input|include)")
# The converter knows these by another name.
_SAME = re.compile(r"(\\(?:begin|end)\{)(?:aligned|eqnarray\*?|gathered)\}")
# What it does not know it shows as it is written.
_NOT_KNOWN = re.compile(r"<m[io]>(\\|&(amp;)?</)|<mtext>\\")
_TAGS = {
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "mstyle"),
    *("msup", "msub", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts"),
    *("mtable", "mtr", "mtd", "mpadded", "mphantom", "menclose", "none"),
}
_ATTRIBUTES = {
    *("display", "displaystyle", "scriptlevel", "mathvariant", "mathcolor", "mathsize"),
    *("accent", "accentunder", "stretchy", "fence", "separator", "form", "largeop", "symmetric"),
    *("movablelimits", "minsize", "maxsize", "lspace", "rspace", "linethickness", "linebreak"),
    *("width", "height", "depth", "columnalign", "columnspacing", "rowspacing", "notation"),
}


def mathml(latex: str, *, display: bool) -> str:
    """A formula as MathML of harmless elements alone; "" where it cannot be made.

    ``display`` is for one on lines of its own.
    """
    if len(latex) > _LONGEST or _DEFINES.search(latex):
        return ""
    try:
        made = convert(_SAME.sub(r"\1align}", latex), display="block" if display else "inline")
    except Exception:  # whatever it stumbles on: the formula is shown as it was written
        return ""
    if _NOT_KNOWN.search(made):
        return ""
    # The converter does not escape all that it takes over.
    return nh3.clean(
        made,
        tags=_TAGS,
        clean_content_tags={"script", "style"},
        attributes=dict.fromkeys(_TAGS, _ATTRIBUTES),
    )
