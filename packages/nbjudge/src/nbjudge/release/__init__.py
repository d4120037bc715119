"""From a source notebook to the student version, with proofs that nothing hidden is in it."""
