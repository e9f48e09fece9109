"""The ladder of checks that a program is put through."""
