"""A program on a page: listing, code, views, trace tables."""
