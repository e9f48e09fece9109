"""How much is lost between the soft network and its program, and the table of results."""
