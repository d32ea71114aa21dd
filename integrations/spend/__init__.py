"""One module per provider that sells compute."""
