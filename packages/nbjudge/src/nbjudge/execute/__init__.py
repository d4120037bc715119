"""A notebook's cells run in the sandbox, now or before: what they did, and where it is kept."""
