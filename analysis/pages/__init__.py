"""A program on a web page: one file, which needs no network and reads without scripts."""
