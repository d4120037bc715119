"""The judge: test cells run on captured values, in a process that never ran a student's code.

``names`` tells what a test cell needs; ``client`` asks a judge; ``session`` is the judge itself.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
