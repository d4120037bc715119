"""Code cells read as text: what they bind, what they need, where they run."""
