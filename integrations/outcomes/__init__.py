"""Where resolved work shows."""
