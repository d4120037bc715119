"""Kernels that are forked from the warm server into a sandbox, for anything that starts kernels."""
