"""One notebook tried: its cells executed, its tests judged, a verdict for each."""

from nbjudge.trial.trial import Conditions, Setting, Trial, try_notebook, with_notes

__all__ = ["Conditions", "Setting", "Trial", "try_notebook", "with_notes"]
