"""A whole class at once: work handed to an executor, grades recorded one by one.

``grade`` is the one way that many submissions are graded. Workers (``work``) get everything by
content and give back verdicts and what was executed; the head alone touches the gradebook.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
