"""kill -9, SIGSTOP and several processes at once, with real processes, databases and connections."""
