"""What a program is: blocks, edges, states, its file, and how its expressions read."""
