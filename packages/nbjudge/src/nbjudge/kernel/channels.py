"""What both ends of a kernel's sockets must agree on."""

# Jupyter's channels, in the order in which their sockets are handed over.
CHANNELS = ("shell", "iopub", "stdin", "control", "hb")

# The messages of nbjudge.kernel.agent, on the shell channel.
REQUEST, REPLY = "nbjudge_request", "nbjudge_reply"

# On the stdin channel: a call of a function of the test's, and what is said until it is answered.
ASK, ANSWER = "nbjudge_ask", "nbjudge_answer"
