"""Every message people see, as a picture: `make pictures`. For looking at, before a message is called done."""
