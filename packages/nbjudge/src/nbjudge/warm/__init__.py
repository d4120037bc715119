"""A server that has imported the heavy packages once; kernels and judges are forked from it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
