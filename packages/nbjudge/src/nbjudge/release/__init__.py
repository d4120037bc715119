"""From a source notebook to the student version, with proofs that nothing hidden is in it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
