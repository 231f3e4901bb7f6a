"""The proof of every family: small random models of its real config class, one stack, every way to run it."""
