"""Kernels that are forked from the warm server into a sandbox, for anything that starts kernels."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
