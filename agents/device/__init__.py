"""Training whose data stays on one device: plain tensor operations, on whatever device torch has."""
