"""The `lab` commands, one module each."""
