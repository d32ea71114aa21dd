"""The demo: an invented company, replayed through the code that real data goes through."""
