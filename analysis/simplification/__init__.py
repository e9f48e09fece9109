"""What may be left out: rules over terms, dataflow, guards, and the canonical form."""
