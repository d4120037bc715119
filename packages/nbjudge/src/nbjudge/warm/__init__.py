"""A server that has imported the heavy packages once; kernels and judges are forked from it."""
