"""The Slack face: what people ask there, and what is sent there."""
