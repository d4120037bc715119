"""A notebook's cells run in the sandbox, now or before: what they did, and where it is kept."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
