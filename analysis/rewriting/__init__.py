"""A program rewritten so that a person understands it: fewer registers, stores, blocks and passes."""
