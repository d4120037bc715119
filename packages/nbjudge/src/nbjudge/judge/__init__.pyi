from .client import Judge as Judge, JudgeFailed as JudgeFailed
from .credit import NotPoints as NotPoints
from .messages import Captured as Captured, Judged as Judged, Reply as Reply, TestCell as TestCell
from .session import preload as preload, serve as serve
