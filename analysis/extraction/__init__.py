"""From a network to its program: harden, record, label, abstract, name, compare."""
