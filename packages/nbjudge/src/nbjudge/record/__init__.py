"""What is kept of a grade: the record beside it, and the marks that people gave."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
