from .converters import KeepsFailure as KeepsFailure
from .preprocessors.take_trial import Replaced as Replaced, TakeTrial as TakeTrial
