"""Against real processes on this machine."""
