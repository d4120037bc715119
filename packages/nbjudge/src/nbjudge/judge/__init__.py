"""The judge: test cells run on captured values, in a process that never ran a student's code.

``names`` tells what a test cell needs; ``client`` asks a judge; ``session`` is the judge itself.
"""
