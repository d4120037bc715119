"""Trying an assignment's tests: on planted mistakes, and on right answers that look different."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
