"""What a program means to a reader: names from what its proof says, and a sentence a line.

A name or a sentence says what a shape, a word of the task or a proved fact says, and nothing else.
"""
