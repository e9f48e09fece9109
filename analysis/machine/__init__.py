"""What a program means, in integers: one run, or thousands at once."""
